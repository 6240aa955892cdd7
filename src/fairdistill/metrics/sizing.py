"""How large a test set must be to tell a gap from chance: of two subgroups, and of all by the audit's own test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri, chndtr, ndtri, rel_entr

from fairdistill.metrics.arrays import Floats

_MANY_GROUPS = 20


def rows_to_resolve(gap: float, *, accuracy: float, confidence: float = 0.95, power: float = 0.8) -> int:
    """Return how many independent samples each of two subgroups needs for a gap in accuracy to be detected.

    The normal approximation for two independent shares p1 = accuracy + gap / 2 and p2 = accuracy - gap / 2 (Chow, Shao
    and Wang, *Sample Size Calculations in Clinical Research*, chapter 4, test for equality of two proportions):
    n = (z_(1 - alpha/2) + z_power)^2 (p1 (1 - p1) + p2 (1 - p2)) / gap^2.

    Args:
        gap: difference of the two subgroups' accuracies, a fraction in (0, 1].
        accuracy: their mean; the two are kept within [0, 1].
        confidence: 1 - alpha, two-sided.
        power: probability that the gap is found.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> rows_to_resolve(0.05, accuracy=0.8)
        1001
    """
    if not 0 < gap <= 1:
        raise ValueError(f"Expected argument `gap` to lie in (0, 1], but got {gap}")
    for name, value in (("accuracy", accuracy), ("confidence", confidence), ("power", power)):
        if not 0 <= value <= 1 or (name != "accuracy" and value in (0, 1)):
            raise ValueError(f"Expected argument `{name}` to lie between 0 and 1, but got {value}")
    middle = min(max(accuracy, gap / 2), 1 - gap / 2)
    high, low = middle + gap / 2, middle - gap / 2
    z = float(ndtri((1 + confidence) / 2) + ndtri(power))
    variance = high * (1 - high) + low * (1 - low)
    # If both shares are certain, the variances are 0; two samples of each are the fewest that can show a gap.
    return max(2, math.ceil(z**2 * variance / gap**2))


def gap_resolved(rows: int, *, accuracy: float, confidence: float = 0.95, power: float = 0.8) -> float:
    """Return the smallest gap that subgroups of this many samples can show; 1.0 if they cannot show any smaller one.

    The inverse of :func:`rows_to_resolve`, to 0.001.

    Example:
        >>> gap_resolved(1001, accuracy=0.8)
        0.05
    """
    for thousandths in range(1, 1001):
        if rows_to_resolve(thousandths / 1000, accuracy=accuracy, confidence=confidence, power=power) <= rows:
            return thousandths / 1000
    return 1.0


@lru_cache(maxsize=64)
def needed_signal(
    groups: int, classes: int, *, confidence: float = 0.95, power: float = 0.8, correlation: float = 0.0
) -> float:
    """Return the noncentrality at which the audit's test of no gap rejects with this power.

    The test compares the groups of each class by a G-test and rejects if the sum over the classes, or the largest, is
    unusual. In large samples the statistic of a class is chi-squared with G - 1 degrees of freedom, noncentral if there
    is a gap; this distribution is simulated, with the same signal in every class.

    Args:
        groups: number of groups G.
        classes: number of classes.
        confidence: of the audit.
        power: probability that it rejects.
        correlation: of the errors of two classes, which people with pictures of several classes cause.

    Returns:
        The sum over the classes of their noncentralities.

    Example:
        >>> round(needed_signal(2, 1), 2)  # (1.960 + 0.842)^2
        7.85
    """
    # The sum alone has a known distribution: what chance adds to the simulation is divided out.
    degrees = classes * (groups - 1)
    limit = float(chdtri(degrees, 1 - confidence))
    exact = _first(lambda signal: 1 - float(chndtr(limit, degrees, signal)), power)
    both = _Simulated.of(groups, classes, correlation).needed(slice(None), confidence, power)
    return exact * both / _Simulated.of(groups, classes, 0.0).needed(slice(1), confidence, power)


@dataclass(frozen=True, eq=False)
class _Simulated:
    """Simulated errors of the classes.

    Attributes:
        along: float64 ``[draws, C]``: normal, in the direction of the signal.
        across: float64 ``[draws, C]``: chi-squared with G - 2 degrees of freedom, of the other directions.
    """

    along: Floats
    across: Floats

    @classmethod
    def of(cls, groups: int, classes: int, correlation: float) -> _Simulated:
        generator = np.random.default_rng([groups, classes])
        draws = int(np.clip(4e5 / classes, 500, 10_000))

        def normal() -> Floats:
            own, shared = generator.standard_normal((draws, classes)), generator.standard_normal((draws, 1))
            return np.asarray(math.sqrt(1 - correlation) * own + math.sqrt(correlation) * shared)

        along = normal()
        if correlation == 0 or groups > _MANY_GROUPS:  # of many groups, those that are alike hardly matter
            return cls(along, 2 * generator.standard_gamma(max(groups - 2, 1e-9) / 2, size=(draws, classes)))
        across = np.zeros((draws, classes))
        for _ in range(groups - 2):
            across += normal() ** 2
        return cls(along, across)

    def needed(self, which: slice, confidence: float, power: float) -> float:
        """Return the signal that is detected by the sum over the classes, the largest of them, or both."""
        null = self._statistics(0.0)[which]
        smaller = np.min([_upper_ranks(values, values) for values in null], axis=0)
        critical = float(np.quantile(smaller, 1 - confidence))

        def power_at(signal: float) -> float:
            pairs = zip(self._statistics(signal)[which], null, strict=True)
            return float((np.min([_upper_ranks(*pair) for pair in pairs], axis=0) <= critical).mean())

        return _first(power_at, power)

    def _statistics(self, signal: float) -> list[Floats]:
        of_class = (self.along + math.sqrt(signal / self.along.shape[1])) ** 2 + self.across
        return [of_class.sum(axis=1), of_class.max(axis=1)]


def _first(power_at: Callable[[float], float], power: float) -> float:
    """Return the smallest signal with this power, to 0.1%."""
    low, high = 0.0, 10.0
    while power_at(high) < power:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if power_at(middle) < power else (low, middle)
    return high


def _upper_ranks(values: Floats, null: Floats) -> Floats:
    """Return the fraction of null values that are at least as large."""
    return np.asarray((len(null) - np.searchsorted(np.sort(null), values)) / len(null))


def gaps_detected(
    rows: Floats, *, accuracy: float, confidence: float = 0.95, power: float = 0.8, correlation: float = 0.0
) -> Floats:
    """Return for each group the smallest gap that the audit detects with this power, if it is behind in every class.

    Args:
        rows: float64 ``[G, C]``: independent samples of each subgroup; classes with an empty one are left out.
        accuracy: mean of the group's accuracy and the others'; the two are kept within [0, 1].
        confidence: of the audit.
        power: probability that its p-value is at most 1 - confidence.
        correlation: as for :func:`needed_signal`.

    Returns:
        float64 ``[G]``, to 0.001; 1 if no smaller gap is detected, NaN if every class has an empty subgroup.

    Example:
        >>> gaps_detected(np.full((2, 3), 100.0), accuracy=0.8).round(2).tolist()
        [0.11, 0.11]
    """
    complete = (rows > 0).all(axis=0)
    groups, classes = len(rows), int(complete.sum())
    if groups < 2 or not classes or math.isnan(accuracy):
        return np.full(groups, np.nan)
    signal = needed_signal(groups, classes, confidence=confidence, power=power, correlation=correlation)
    kept = rows[:, complete]
    low, high = np.zeros(groups), np.ones(groups)
    for _ in range(12):
        middle = (low + high) / 2
        enough = _signal(middle, kept, kept.sum(axis=0), accuracy) >= signal
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.ceil(np.round(high * 1000, 3)) / 1000


def rows_to_detect(
    gap: float,
    *,
    groups: int,
    classes: int,
    accuracy: float,
    confidence: float = 0.95,
    power: float = 0.8,
    correlation: float = 0.0,
) -> int:
    """Return how many independent samples each subgroup needs for the audit to detect a group that is behind.

    Args:
        gap: in every class, a fraction in (0, 1]: the DEO_A.
        groups: number of groups, one of which is behind all others.
        classes: number of classes.
        accuracy: as for :func:`gaps_detected`.
        confidence: as there.
        power: as there.
        correlation: as there.

    Example:
        >>> one, ten = (rows_to_detect(0.1, groups=2, classes=n, accuracy=0.8) for n in (1, 10))
        >>> 240 < one < 260, 3 < one / ten < 6
        (True, True)
    """
    needed = needed_signal(groups, classes, confidence=confidence, power=power, correlation=correlation)
    of_one = _signal(np.array([gap]), np.ones((1, classes)), np.full(classes, float(groups)), accuracy)
    return max(2, math.ceil(needed / float(of_one[0])))


def _signal(gap: Floats, rows: Floats, of_class: Floats, accuracy: float) -> Floats:
    """Return the noncentrality, summed over the classes, if one group is behind by a gap in each: ``[G]``.

    Twice the expected log-likelihood ratio: that of the group, of ``rows`` ``[G, C]``, and that of the others.
    """
    middle = np.clip(accuracy, gap / 2, 1 - gap / 2)[:, None]
    best, worst = middle + gap[:, None] / 2, middle - gap[:, None] / 2
    together = (rows * worst + (of_class - rows) * best) / of_class
    found = 2 * (rows * _divergence(worst, together) + (of_class - rows) * _divergence(best, together))
    return np.asarray(found.sum(axis=1))


def _divergence(share: Floats, other: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of two coins."""
    return np.asarray(rel_entr(share, other) + rel_entr(1 - share, 1 - other))
