"""Gaps as values, without SciPy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fairdistill.metrics.estimate import Estimate

_NAN = float("nan")


@dataclass(frozen=True)
class Gap(Estimate):
    """A gap between groups with its interval and its noise floor.

    Attributes:
        estimate: the median-unbiased estimate; on average, the observed value is too large.
        floor: mean gap that test sets with exchanged groups show.
        floor_low: 2.5th percentile of that.
        floor_high: 97.5th percentile.
        p_value: of the hypothesis that groups do not differ in any class: the fraction of test sets with exchanged
            groups whose groups differ as clearly (G-test). DEO_A and DEO_M share it.
        at_least: one-sided lower end: the gap is at least this large, with the stated confidence.
        at_most: one-sided upper end.
    """

    estimate: float
    floor: float
    floor_low: float
    floor_high: float
    p_value: float
    at_least: float = _NAN
    at_most: float = _NAN


UNDEFINED_GAP = Gap(*[_NAN] * 8)

NO_GAP = replace(Gap(*[0.0] * 10), p_value=1.0)
"""The gap of a single group, which nothing is uncertain about."""
