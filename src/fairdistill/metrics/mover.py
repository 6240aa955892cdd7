"""Intervals of a difference and of a ratio, recovered from the intervals of its two parts (MOVER).

The distance of an end from the estimate estimates the variance there, also where the interval is not symmetric, as near
0 and 1. Zou and Donner, *Construction of confidence limits about effect measures* (Statistics in Medicine 2008); Donner
and Zou, *Closed-form confidence intervals for functions of the normal mean and standard deviation* (Statistical Methods
in Medical Research 2012).
"""

from __future__ import annotations

import numpy as np

from fairdistill.metrics.arrays import Floats
from fairdistill.metrics.intervals import Limits


def difference(first: Limits, second: Limits, *, against: Floats | float = 0.0) -> Limits:
    """Return the limits of the first minus the second.

    With d the distance of an end from its estimate and r the correlation of the two estimates, the ends are
    ``first - second -+ sqrt(d1^2 + d2^2 - 2 r d1 d2)``.

    Args:
        first: estimates and their ends.
        second: the same shape.
        against: by how much the two estimates move against each other, -r in [0, 1]. Where they move together
            (r > 0), 0 gives limits that are too wide rather than too narrow.

    Example:
        >>> one = Limits(low=np.array(0.5), middle=np.array(0.6), high=np.array(0.7))
        >>> zero = Limits(*[np.array(0.0)] * 3)
        >>> found = difference(one, zero)
        >>> float(found.low), round(float(found.middle), 3)
        (0.5, 0.6)
    """
    value = first.middle - second.middle
    return Limits(
        low=value - _together(first.middle - first.low, second.high - second.middle, against),
        middle=value,
        high=value + _together(first.high - first.middle, second.middle - second.low, against),
    )


def ratio(first: Limits, second: Limits) -> Limits:
    """Return the limits of the first divided by the second, for shares that are independent of each other.

    The ratio t at an end is where the difference ``first - t second`` has its end at 0 (Donner and Zou 2012, equation
    7). Its upper end is infinite, and the ratio NaN, where the second is 0.

    Example:
        >>> one = Limits(low=np.array(0.5), middle=np.array(0.6), high=np.array(0.7))
        >>> two = Limits(low=np.array(0.7), middle=np.array(0.8), high=np.array(0.9))
        >>> found = ratio(one, two)
        >>> [round(float(end), 2) for end in (found.low, found.middle, found.high)]
        [0.6, 0.75, 0.92]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return Limits(
            low=_end(first.middle, second.middle, first.low, second.high, sign=-1),
            middle=first.middle / second.middle,
            high=_end(first.middle, second.middle, first.high, second.low, sign=1),
        )


def _end(one: Floats, two: Floats, end: Floats, other: Floats, *, sign: int) -> Floats:
    root = np.sqrt(np.maximum((one * two) ** 2 - end * other * (2 * one - end) * (2 * two - other), 0))
    return np.asarray((one * two + sign * root) / (other * (2 * two - other)))


def _together(one: Floats, other: Floats, against: Floats | float) -> Floats:
    return np.sqrt(np.maximum(one**2 + other**2 + 2 * against * one * other, 0))
