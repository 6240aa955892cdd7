"""By how much the accuracy of a subgroup falls at most from one model to another on the same samples.

The largest of several noisy falls is too large on average, so its limits are those of the smallest accuracy
(`worst.py`), mirrored: it is at least the fall of any subgroup, each corrected for the number of subgroups, and it is
the fall of one of them, so the highest of all upper limits is one without any correction. A subgroup of three samples
that did not change may still have fallen by much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, Ints, divided
from fairdistill.metrics.intervals import Limits
from fairdistill.metrics.mover import difference
from fairdistill.metrics.test_set.samples import Samples
from fairdistill.metrics.test_set.worth import worth_of
from fairdistill.metrics.worst import Sized, binomial_limit


@dataclass(frozen=True, eq=False)
class Falls:
    """The fall of the accuracy of each subgroup with samples, as fractions; a rise is below 0.

    Attributes:
        cell: int64 ``[K]``: group * classes + class.
        value: float64 ``[K]``: as observed.
        at_least: float64 ``[K]``: one-sided lower end, corrected for their number: all hold together.
        at_most: float64 ``[K]``: one-sided upper end of each by itself; that of the largest fall is the highest.
    """

    cell: Ints
    value: Floats
    at_least: Floats
    at_most: Floats


def falls(first: Flags, second: Flags, samples: Samples, *, confidence: float = 0.95) -> Falls:
    """Return the falls from the first model to the second, with their one-sided ends.

    A fall is P(only the first is right) - P(only the second is right). Each has exact binomial limits, and as they
    exclude each other, their estimates move against each other by sqrt(p q / ((1 - p) (1 - q))). Samples of one source
    count as fewer, see :func:`.worth_of`.

    Args:
        first: bool ``[N]``: which samples the first model gets right.
        second: bool ``[N]``: the same for the second.
        samples: the test set; samples of unknown group do not count.
        confidence: of each end.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 2 % 2, sources=rows, num_classes=2, num_groups=2)
        >>> found = falls(rows >= 0, rows % 4 > 0, samples)  # the first subgroup loses everything
        >>> found.value.tolist(), bool(found.at_least[0] > 0.9), bool(found.at_most[1] < 0.04)
        ([1.0, 0.0, 0.0, 0.0], True, True)
    """
    known = samples.groups >= 0
    cell = samples.cells[known]
    cells = samples.num_groups * samples.num_classes
    lost, gained = (first & ~second)[known], (second & ~first)[known]
    filled = np.bincount(cell, minlength=cells) > 0
    rows = np.bincount(cell, minlength=cells)[filled]
    worth = worth_of(lost.astype(np.float64) - gained, cell, samples.sources[known], cells, confidence=confidence)
    parts = [np.bincount(cell[each], minlength=cells)[filled] / rows for each in (lost, gained)]
    with np.errstate(invalid="ignore"):
        together = np.sqrt(np.nan_to_num(divided(parts[0] * parts[1], (1 - parts[0]) * (1 - parts[1]))))
    tail = 1 - confidence
    corrected, single = (
        difference(*(_limits(part, worth[filled], each) for part in parts), against=together)
        for each in (tail / max(1, len(rows)), tail)
    )
    return Falls(
        cell=np.flatnonzero(filled),
        value=single.middle,
        at_least=np.maximum(corrected.low, -1.0),
        at_most=np.minimum(single.high, 1.0),
    )


def _limits(share: Floats, rows: Floats, tail: float) -> Limits:
    """Return Clopper and Pearson's limits of shares ``[K]``."""
    sized = Sized(shares=share[None], rows=rows[None])
    low, high = binomial_limit(sized, tail)[0], binomial_limit(sized, tail, upper=True)[0]
    return Limits(low=np.minimum(low, share), middle=share, high=np.maximum(high, share))
