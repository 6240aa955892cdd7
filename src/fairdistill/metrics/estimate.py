"""A number with its interval, without SciPy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; fractions, NaN where undefined.

    Attributes:
        value: as observed; the mean over the models.
        low: lower end of the interval.
        high: upper end.
    """

    value: float
    low: float
    high: float


UNDEFINED = Estimate(*[float("nan")] * 3)
