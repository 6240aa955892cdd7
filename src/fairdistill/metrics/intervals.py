"""Confidence intervals of accuracies, of gaps between groups, and of their mean and maximum.

A gap is the largest minus the smallest of several noisy fractions, so on average it is too large, especially for small
test sets. The usual percentile interval of the bootstrap repeats that error and never covers a gap of zero. Here,
intervals are found by *inverting a test*: the true gaps are assumed to be a multiple of the observed ones, test sets
are drawn around them, and the interval contains the multiples for which a gap like the observed one is not unusual. The
multiple 0 is the noise floor. `benchmarks/coverage.py` measures how often the intervals contain the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Over = Literal["each", "mean", "max"]

_HALVINGS = 14  # of [0, 1]: the ends are found to 0.0001
_PLAUSIBLE = 2.0  # standard errors by which a gap may differ from the observed one, if the largest is wanted


@dataclass(frozen=True)
class Limits:
    """The ends of an interval and its middle, arrays of one shape; fractions.

    Attributes:
        low: lower end.
        middle: the median-unbiased estimate: the value for which the observation is exceeded as often as not.
        high: upper end.
    """

    low: Floats
    middle: Floats
    high: Floats


def spread(shares: Floats) -> Floats:
    """Return the largest minus the smallest over the groups: ``[..., G, K]`` to ``[..., K]``; NaN if one is NaN."""
    return np.asarray(shares.max(axis=-2) - shares.min(axis=-2))


def over(gaps: Floats, which: Over) -> Floats:
    """Return the gaps ``[..., K]`` themselves, or their mean or maximum over the last axis."""
    if which == "each":
        return gaps
    return np.asarray(gaps.mean(axis=-1) if which == "mean" else gaps.max(axis=-1))


def gap_limits(
    shares: Floats,
    noise: Floats,
    which: Over,
    *,
    confidence: float = 0.95,
    seed_noise: Floats | float = 0.0,
    resolution: float = 0.0,
) -> Limits:
    """Return the limits of gaps between groups.

    Args:
        shares: float64 ``[M, G, K]``: observed fractions of K quantities in G groups, for M models (the seeds of one
            recipe) on one test set; the gap is the mean over the models.
        noise: float64 ``[B, M, G, K]``: how far the fractions of B drawn test sets are from their expectation.
        which: each of the K gaps, or their mean or maximum.
        confidence: of the interval, two-sided.
        seed_noise: float64 ``[B]``: what the choice of seeds adds to the mean over the models.
        resolution: smallest step of a fraction, one divided by the samples of the largest subgroup: gaps that differ by
            less than half a step count as equal.

    Returns:
        Arrays ``[K]`` for ``each``, else ``[]``; NaN where a fraction is.
    """
    observed = spread(shares)
    middle = (shares.max(axis=-2, keepdims=True) + shares.min(axis=-2, keepdims=True)) / 2
    direction = places_of(shares, noise)

    def drawn(places: Floats) -> _Path:
        """Return the gaps that drawn test sets show with the groups at these places."""
        return lambda gaps: np.asarray(over(spread(middle + gaps[..., None, :] * places + noise), which).mean(axis=1))

    variance = 2 * noise.var(axis=0).mean(axis=-2)
    widest = widest_places(direction, observed, np.sqrt(variance / 2))
    if which == "max":
        low_path, high_path = _paths_of_largest(observed, np.sqrt(variance))
    else:
        supposed = shrunk(observed, variance) if which == "mean" else observed
        total = over(supposed, which).mean(axis=0)
        weight = np.where(total > 0, supposed, 1.0) / np.where(total > 0, total, 1.0)
        low_path = high_path = lambda gap: weight * gap
    step = resolution / len(shares) / (observed.shape[-1] if which == "mean" else 1)
    seen = over(observed, which).mean(axis=0)
    draw_low, draw_high = drawn(widest), drawn(direction)
    return _inverted(
        lambda gap: draw_low(low_path(gap)), lambda gap: draw_high(high_path(gap)), seen, confidence, seed_noise, step
    )


def places_of(shares: Floats, noise: Floats) -> Floats:
    """Return where each group lies between the worst, -0.5, and the best, 0.5: ``[M, G, K]``.

    Without a gap, the two noisiest groups are the best and the worst: of them the least is known.

    Args:
        shares: float64 ``[M, G, K]``.
        noise: float64 ``[B, M, G, K]``.
    """
    observed = spread(shares)[:, None]
    middle = (shares.max(axis=-2, keepdims=True) + shares.min(axis=-2, keepdims=True)) / 2
    noisiest = noise.var(axis=0)
    by_noise = np.argsort(np.argsort(-noisiest, axis=-2, kind="stable"), axis=-2)
    apart = np.where(by_noise == 0, 0.5, np.where(by_noise == 1, -0.5, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(observed > 0, (shares - middle) / np.where(observed > 0, observed, 1.0), apart))


def widest_places(direction: Floats, observed: Floats, error: Floats) -> Floats:
    """Return where the groups may lie, ``[M, G, K]`` in [-0.5, 0.5], so that chance adds the most to the gap.

    A group that is plausibly as good as the best, or as bad as the worst, is assumed to be: the largest of many equal
    groups looks larger than the largest of a few.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(observed > 0, _PLAUSIBLE * error / observed, np.inf)[:, None]
    best, worst = direction + reach >= 0.5, direction - reach <= -0.5
    snapped = np.where(best & (~worst | (direction >= 0)), 0.5, np.where(worst, -0.5, direction))
    extreme = np.abs(np.abs(direction) - 0.5) < 1e-12  # the best and the worst stay
    return np.asarray(np.where(extreme, direction, snapped))


def shrunk(observed: Floats, variance: Floats) -> Floats:
    """Return gaps ``[M, K]`` shrunk towards their mean by the noise's part of their variance (James and Stein).

    Observed gaps differ more than the true ones, and more unequal gaps hide more of themselves in the noise.
    """
    mean = observed.mean(axis=-1, keepdims=True)
    spread_ = observed.var(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = np.where(spread_ > 0, 1 - variance.mean(axis=-1, keepdims=True) / spread_, 0.0)
    return np.asarray(mean + np.clip(signal, 0, 1) * (observed - mean))


_Path = Callable[[Floats], Floats]


def path_of_largest(observed: Floats, error: Floats) -> _Path:
    """Return the values ``[M, K]`` to assume for an upper end, given the largest; see :func:`_paths_of_largest`."""
    return _paths_of_largest(observed, error)[1]


def _paths_of_largest(observed: Floats, error: Floats) -> tuple[_Path, _Path]:
    """Return the values ``[M, K]`` to assume, given the largest: one function for the lower end, one for the upper.

    For the lower end, all values that plausibly equal the largest do; for the upper end, all others are as small as
    plausible. In these cases the largest looks largest and smallest.
    """
    largest = observed == observed.max(axis=-1, keepdims=True)
    ceiling = np.where(largest, np.inf, observed + _PLAUSIBLE * error)
    bottom = np.maximum(observed - _PLAUSIBLE * error, 0)
    return lambda value: np.minimum(value, ceiling), lambda value: np.where(largest, value, np.minimum(value, bottom))


def _inverted(
    drawn_low: _Path, drawn_high: _Path, seen: Floats, confidence: float, seed_noise: Floats | float, step: float
) -> Limits:
    """Return the limits of a value, given what drawn test sets show when it is as assumed.

    Args:
        drawn_low: maps an assumed value to the drawn ones, in the case that determines the lower end.
        drawn_high: the same in the case that determines the upper end.
        seen: the value as observed.
        confidence: as in :func:`gap_limits`.
        seed_noise: as there.
        step: smallest step of the value.
    """
    tail = (1 - confidence) / 2
    same = 0.5 * step + 1e-12
    extra = np.reshape(seed_noise, (-1, *[1] * seen.ndim))

    def larger(value: Floats) -> Floats:
        return np.asarray((drawn_low(value) + extra >= seen - same).mean(axis=0))

    def smaller(value: Floats, seen: Floats = seen) -> Floats:
        return np.asarray((drawn_high(value) + extra <= seen + same).mean(axis=0))

    low = _first(lambda value: larger(value) >= tail, seen.shape)
    # A lucky test set shows less than chance usually does and would exclude even 0. Its upper end is that of a typical
    # test set without a gap (Cowan, Cranmer, Gross and Vitells, Power-Constrained Limits, 2011).
    usual = np.maximum(seen, np.median(drawn_high(np.zeros(seen.shape)), axis=0))
    high = np.maximum(low, _first(lambda value: smaller(value, usual) < tail, seen.shape))
    middle = (
        _first(lambda value: larger(value) >= 0.5, seen.shape) + _first(lambda value: smaller(value) < 0.5, seen.shape)
    ) / 2
    undefined = np.isnan(seen)
    low, middle, high = (np.where(undefined, np.nan, end) for end in (low, middle, high))
    return Limits(low=low, middle=middle, high=high)


def _first(holds: Callable[[Floats], NDArray[np.bool_]], shape: tuple[int, ...]) -> Floats:
    """Return the smallest values in [0, 1] from which a condition holds; 1 if it never does."""
    low, high = np.zeros(shape), np.ones(shape)
    at_zero = holds(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = holds(middle)
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return np.where(at_zero, 0.0, high)


def wilson(
    correct: NDArray[np.int64] | Floats, rows: NDArray[np.int64] | Floats, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Wilson's interval of a fraction, for independent samples.

    Wilson, *Probable Inference, the Law of Succession, and Statistical Inference* (1927).

    Args:
        correct: ``[...]``: correct samples.
        rows: ``[...]``: all samples, or as many independent ones as are as precise.
        confidence: of the interval, two-sided.

    Returns:
        Lower and upper ends, float64 ``[...]``; NaN without samples.

    Example:
        >>> low, high = wilson(np.array([20]), np.array([20]))
        >>> round(float(low[0]), 3), float(high[0])
        (0.839, 1.0)
    """
    z = float(ndtri((1 + confidence) / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = correct / rows
        middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
        half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
