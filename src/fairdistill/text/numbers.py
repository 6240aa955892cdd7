"""Fractions as percent and percentage points, and numbers of things, once for every text."""

from __future__ import annotations

import math
from typing import Protocol


class Interval(Protocol):
    """Anything with the two ends of an interval, as fractions."""

    @property
    def low(self) -> float:
        """Lower end."""
        ...

    @property
    def high(self) -> float:
        """Upper end."""
        ...


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction as percent without the sign; ``undefined`` if it is None or NaN.

    Example:
        >>> percent(0.1234), percent(-1e-9), percent(None)
        ('12.3', '0.0', 'undefined')
    """
    return "undefined" if fraction is None or math.isnan(fraction) else f"{100 * fraction:z.{digits}f}"


def counted(number: int, what: str) -> str:
    """Return a number of things, whose plural ends in s.

    Example:
        >>> counted(1, "row"), counted(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def percentage(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction as percent with the sign; ``undefined`` if it is None or NaN.

    Example:
        >>> percentage(0.1234), percentage(None)
        ('12.3%', 'undefined')
    """
    shown = percent(fraction, digits)
    return shown if shown == "undefined" else f"{shown}%"


def signed(fraction: float | None, digits: int = 1) -> str:
    """Return a difference of fractions as percentage points with its sign; ``undefined`` if it is None or NaN.

    Example:
        >>> signed(-0.05)
        '-5.0'
    """
    return "undefined" if fraction is None or math.isnan(fraction) else f"{100 * fraction:+z.{digits}f}"


def interval(found: Interval, digits: int = 1) -> str:
    """Return ``[low, high]`` in percent; empty if undefined."""
    return "" if math.isnan(found.low) else f"[{percent(found.low, digits)}, {percent(found.high, digits)}]"


def mean_sd(mean: float, sd: float) -> str:
    """Return a mean over seeds with its standard deviation in percent; without it if that is NaN.

    Example:
        >>> mean_sd(0.9123, 0.0041)
        '91.23 ± 0.41'
    """
    shown = percent(mean, 2)
    return shown if math.isnan(mean) or math.isnan(sd) else f"{shown} ± {percent(sd, 2)}"


def p_value(value: float) -> str:
    """Return ``= 0.03``, or ``<= 0.0002`` for a value as small as the draws can resolve."""
    return f"<= {max(value, 0.0001):.1g}" if value <= 0.0002 else f"= {value:.2g}"
