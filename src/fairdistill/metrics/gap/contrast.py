"""A lower bound of gaps by cross-fitting: choose the groups on half of the sources, measure them on the other half.

The largest minus the smallest of several noisy fractions is too large, because chance helps to choose both. If one half
of a test set chooses which group is better and which is worse, the other half measures their difference without that
help: its expectation is at most the true gap. Averaged over many halves, this is a linear contrast of the fractions, so
its noise is known (Chernozhukov et al., *Double/debiased machine learning*, 2018, call it cross-fitting).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats
from fairdistill.metrics.gap.evidence import Evidence

FEWEST = 8
"""Independent rows a cell needs to be chosen."""
SPLITS = 100
_ROUNDING = 1e-9


class Contrast(NamedTuple):
    """Measured differences and how often each fraction was on the better (+) or the worse (-) side.

    Attributes:
        each: float64 ``[M, K]``: the contrast of each quantity; 0 where fewer than two groups have enough rows.
        weight: float64 ``[M, G, K]``: of each fraction in it, scaled so that their squares sum to 2 as those of two
            groups do: where halves choose differently, the choice is part of the noise.
        largest: float64 ``[M]``: the contrast of the quantity that looked largest.
        weight_of_largest: float64 ``[M, G, K]``: the same of the largest, over all quantities.
    """

    each: Floats
    weight: Floats
    largest: Floats
    weight_of_largest: Floats


def contrast_of(evidence: Evidence) -> Contrast:
    """Return the cross-fitted contrast of each quantity and of the largest."""
    counts = evidence.rows.counts
    enough = evidence.independent_rows >= FEWEST
    found: list[Contrast] = []
    splits = 0
    for half in evidence.rows.halved(SPLITS, evidence.seed):
        first, second = evidence.tally(half), evidence.tally(counts - half)
        splits += 2 * len(half)
        found += [_measured(first, second, enough), _measured(second, first, enough)]
    each, weight, largest, of_largest = (np.sum(parts, axis=0) / splits for parts in zip(*found, strict=True))
    return Contrast(each, _scaled(weight, (-2,)), largest, _scaled(of_largest, (-2, -1)))


def _measured(chosen_on: tuple[Floats, Floats], measured_on: tuple[Floats, Floats], enough: Flags) -> Contrast:
    """Return the sums over splits of the differences of groups chosen on one half and measured on the other.

    Args:
        chosen_on: numerators ``[s, M, G, K]`` and denominators ``[s, 1, G, K]`` of one half.
        measured_on: those of the other.
        enough: bool ``[G, K]``: which fractions may be chosen.
    """
    (part, whole), (other, of) = chosen_on, measured_on
    usable = enough & (whole > 0) & (of > 0)
    share = part / np.maximum(whole, 1)
    smooth = (part + 1) / (whole + 2)
    variance = smooth * (1 - smooth) / np.maximum(whole, 1)
    counted = np.where(usable, part, 0).sum(axis=-2, keepdims=True)
    together = counted / np.maximum(np.where(usable, whole, 0).sum(axis=-2, keepdims=True), 1)
    apart = _steadied((share - together) / np.sqrt(variance), usable)
    weight = _extreme(np.where(usable, apart, -np.inf)) - _extreme(np.where(usable, -apart, -np.inf))
    measured = (weight * np.where(usable, other / np.maximum(of, 1), 0)).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        clear = (weight * share).sum(axis=-2) / np.sqrt((weight**2 * variance).sum(axis=-2))
    largest = _extreme(np.nan_to_num(clear, nan=-np.inf)[..., None])[..., 0]
    return Contrast(
        each=measured.sum(axis=0),
        weight=weight.sum(axis=0),
        largest=(measured * largest).sum(axis=(0, 2)),
        weight_of_largest=(weight * largest[..., None, :]).sum(axis=0),
    )


def _steadied(apart: Floats, usable: Flags) -> Floats:
    """Return standardised deviations of groups ``[..., G, K]``, drawn towards each group's mean over the quantities.

    A group that is behind in most classes is taken to be behind in the others too, as far as the deviations vary no
    more than noise makes them: ``mean + (apart - mean) * t / (t + 1)`` for the variance t of their expectations
    (empirical Bayes; Efron and Morris, *Data Analysis Using Stein's Estimator*, 1975). A half may choose by any rule.
    """
    quantities = usable.sum(axis=-1, keepdims=True)
    mean = np.where(usable, apart, 0).sum(axis=-1, keepdims=True) / np.maximum(quantities, 1)
    squares = np.where(usable, (apart - mean) ** 2, 0).sum(axis=(-2, -1), keepdims=True)
    freedom = np.maximum(quantities - 1, 0).sum(axis=-2, keepdims=True)
    varied = np.maximum(squares / np.maximum(freedom, 1) - 1, 0)
    return np.asarray(np.where(freedom > 0, mean + (apart - mean) * varied / (varied + 1), apart))


def _scaled(weight: Floats, axes: tuple[int, ...]) -> Floats:
    size = np.sqrt((weight**2).sum(axis=axes, keepdims=True) / 2)
    return np.asarray(np.where(size > _ROUNDING, weight / np.where(size > _ROUNDING, size, 1), 0))


def _extreme(values: Floats) -> Floats:
    """Return the weight of each value in the largest along the second-last axis: 1, or equal parts of it if tied."""
    largest = values.max(axis=-2, keepdims=True)
    top = (values >= largest - _ROUNDING) & np.isfinite(largest)
    return np.asarray(top / np.maximum(top.sum(axis=-2, keepdims=True), 1))
