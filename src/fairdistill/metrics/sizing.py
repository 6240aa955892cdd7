"""How large a test set must be to tell a gap from chance."""

from __future__ import annotations

import math

from scipy.special import ndtri


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
    for name, value, low in (("accuracy", accuracy, 0.0), ("confidence", confidence, 0.0), ("power", power, 0.0)):
        if not low <= value <= 1 or (name != "accuracy" and value in (0, 1)):
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
