"""The DEO that chance alone produces: that of a perfectly fair classifier on a test set of this size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairdistill.metrics.arrays import Floats
from fairdistill.metrics.counts import as_array
from fairdistill.metrics.estimate import UNDEFINED, Estimate


@dataclass(frozen=True)
class ChanceDEO:
    """DEO of a perfectly fair classifier: mean over the draws and central 95% interval; fractions."""

    deo_a: Estimate
    """Mean of DEO_A with its 2.5th and 97.5th percentile."""
    deo_m: Estimate
    """Mean of DEO_M with its 2.5th and 97.5th percentile."""


def chance_deo(cell_rows: Any, *, accuracy: float, draws: int = 2000, seed: int = 0) -> ChanceDEO:
    """Simulate the DEO of a classifier that is correct with the same probability in every subgroup.

    In each draw the correct samples of subgroup (g, c) are Binomial(n_gc, accuracy), and the DEO is computed as for any
    classifier. Samples are independent: if the groups share the same pictures, a fair model can score lower.

    Args:
        cell_rows: integer ``[G, C]``: test samples of each group and class.
        accuracy: probability of a correct prediction, in [0, 1].
        draws: simulated test sets.
        seed: of the draws.

    Returns:
        Fractions; NaN if a subgroup is empty.

    Raises:
        ValueError: if the numbers are not whole, or an argument is out of range.

    Example:
        >>> big = chance_deo([[100_000, 100_000], [100_000, 100_000]], accuracy=0.8)
        >>> small = chance_deo([[20, 20], [20, 20]], accuracy=0.8)
        >>> big.deo_a.value < 0.005 < 0.05 < small.deo_a.value
        True
    """
    given = as_array(cell_rows)
    if given.ndim != 2 or given.dtype.kind not in "iu" or (given < 0).any():
        raise ValueError(
            f"Expected argument `cell_rows` to be [G, C] whole numbers, but got {given.dtype} of shape {given.shape}"
            + (f" with {given.min()}" if given.size and given.dtype.kind in "iuf" else "")
        )
    if not 0 <= accuracy <= 1:
        raise ValueError(f"Expected argument `accuracy` to be a fraction in [0, 1], but got {accuracy}")
    if draws < 1:
        raise ValueError(f"Expected argument `draws` to be at least 1, but got {draws}")
    rows = given.T  # class by class, as they are drawn
    generator = np.random.default_rng(seed)
    if (rows == 0).any():
        return ChanceDEO(UNDEFINED, UNDEFINED)
    shares = generator.binomial(rows, accuracy, size=(draws, *rows.shape)) / rows
    gaps = shares.max(axis=2) - shares.min(axis=2)
    return ChanceDEO(_spread(gaps.mean(axis=1)), _spread(gaps.max(axis=1)))


def _spread(values: Floats) -> Estimate:
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))
