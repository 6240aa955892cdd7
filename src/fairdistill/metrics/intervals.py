"""Intervals as values: their ends from drawn values, and Wilson's interval of a fraction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from fairdistill.metrics.arrays import Floats, Ints
from fairdistill.metrics.estimate import Estimate


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

    def at(self, place: int | tuple[int, ...]) -> Estimate:
        """Return the numbers at a place of the arrays."""
        return Estimate(float(self.middle[place]), float(self.low[place]), float(self.high[place]))

    def only(self, place: int) -> Limits:
        """Return the limits at one place, as arrays without an axis."""
        return Limits(self.low[place], self.middle[place], self.high[place])


def middle_of(values: Floats, confidence: float, *, least: float = 0.0) -> tuple[Floats, Floats]:
    """Return the percentiles of drawn values ``[B, ...]`` between which ``confidence`` of them lie, in [least, 1].

    Example:
        >>> low, high = middle_of(np.linspace(0, 1, 101), 0.9)
        >>> round(float(low), 3), round(float(high), 3)
        (0.05, 0.95)
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    return np.clip(low, least, 1), np.clip(high, least, 1)


def wilson(correct: Ints | Floats, rows: Ints | Floats, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
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
    with np.errstate(invalid="ignore", divide="ignore"):
        return wilson_at(correct / rows, rows, float(ndtri((1 + confidence) / 2)))


def wilson_limits(shares: Floats, rows: Floats, *, confidence: float = 0.95) -> Limits:
    """Return shares with their intervals, see :func:`wilson`; each interval contains its share in spite of rounding."""
    low, high = wilson(shares * rows, rows, confidence=confidence)
    return Limits(low=np.minimum(low, shares), middle=shares, high=np.maximum(high, shares))


def wilson_at(share: Floats, rows: Ints | Floats, z: float) -> tuple[Floats, Floats]:
    """Return Wilson's interval of a fraction, given the normal quantile of its ends; see :func:`wilson`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
        half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
