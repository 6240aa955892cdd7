"""Selection rates, and true- and false-positive rates, of each group from counts, without SciPy.

They are made from three counts for each group and class: rows predicted as the class, those of them that belong to it,
and all rows that belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.counts import Counts


@dataclass(frozen=True, eq=False)
class RateCounts:
    """Counts, or differences of counts, each ``[..., G, C]``.

    Attributes:
        predicted: rows predicted as a class.
        true_positive: those of them that belong to it.
        actual: rows that belong to it.
    """

    predicted: Floats | Ints
    true_positive: Floats | Ints
    actual: Floats | Ints

    @property
    def of_group(self) -> Floats | Ints:
        """Rows of each group, ``[..., G, 1]``."""
        return np.asarray(self.actual.sum(axis=-1, keepdims=True))

    @property
    def selection(self) -> Floats:
        """P(pred = c | g), ``[..., G, C]``; NaN for a group without rows."""
        return divided(self.predicted, self.of_group)

    @property
    def tpr_fpr(self) -> Floats:
        """P(pred = c | true = c, g) and P(pred = c | true != c, g), ``[..., G, 2C]``; NaN without such rows."""
        false_positive, others = self.predicted - self.true_positive, self.of_group - self.actual
        return np.concatenate([divided(self.true_positive, self.actual), divided(false_positive, others)], axis=-1)


def rate_counts(counts: Counts) -> RateCounts:
    """Return what the rates are made from, of counts ``[G, C, C]`` (group, true, predicted)."""
    return RateCounts(counts.sum(axis=1), np.einsum("gcc->gc", counts), counts.sum(axis=2))
