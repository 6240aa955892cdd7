"""What would settle a verdict that is still open: how many images, and of which subgroups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtri

from fairdistill.auditing import AuditResult
from fairdistill.auditing.result import RowsNeeded
from fairdistill.choosing import NEGLIGIBLE
from fairdistill.contract import Result, key
from fairdistill.metrics import Change


@dataclass(frozen=True, kw_only=True)
class Lacking(Result):
    """A subgroup with too few images, and how many more it needs."""

    group: str
    class_name: str = key("class")
    rows: int
    more: int


@dataclass(frozen=True, kw_only=True)
class Settling(Result):
    """The images that would settle a verdict, in 80% of cases.

    Attributes:
        of: what they would show: the deployed model's gap, or a candidate's gain.
        size: how large it is supposed to be: a fraction.
        where: the part of the data that needs them.
        rows: images that each subgroup needs.
        lacking: the subgroups with fewer, those that lack most first.
    """

    of: Literal["gap", "gain"]
    size: float
    where: Literal["validation", "test"]
    rows: int
    lacking: tuple[Lacking, ...]

    @property
    def more(self) -> int:
        """Images to add, over all subgroups."""
        return sum(each.more for each in self.lacking)


def settling_gap(audited: AuditResult, limit: float, where: Literal["validation", "test"]) -> Settling:
    """Return the images that would show whether a gap is real.

    The audit's own sizing says how many images a subgroup needs for gaps of some sizes. For the size in question, the
    largest of the estimate, the limit and what the default rule counts as none, it is scaled by the inverse square, as
    every number of samples.

    Args:
        audited: the deployed model's audit.
        limit: the gap that is fair enough; smaller ones need not be shown.
        where: the part of the data that was audited.
    """
    estimate = audited.deo_a.estimate
    size = max(limit, NEGLIGIBLE, 0.0 if math.isnan(estimate) else estimate)
    rows = max(2, math.ceil(_nearest(audited.sizing.deo_a_rows_needed, size)))
    return Settling(of="gap", size=size, where=where, rows=rows, lacking=_lacking(audited, rows))


def gain_to_show(found: Change, promised: float, *, negligible: float) -> float | None:
    """Return the size of a gain that more images of the test set could show, if the interval there includes 0.

    It is the one seen there or, if that one is negligible, the one that the validation set promised, unless the
    interval excludes it.

    Args:
        found: the gain on the test set.
        promised: the gain on the validation set.
        negligible: smaller gains do not matter.

    Returns:
        None if the gain is negligible on either set, or undefined, or if the test set shows a loss.

    Example:
        >>> gain_to_show(Change(0.002, -0.069, 0.052, 0.9), 0.089, negligible=0.005) is None
        True
    """
    for size, most in ((found.value, math.inf), (promised, found.high)):
        if 0 < size <= most and size >= negligible and found.high >= 0:
            return size
    return None


def settling_gain(audited: AuditResult, gain: Change, size: float, *, power: float = 0.8) -> Settling | None:
    """Return the images of the test set that would show a gain of some size.

    The width of the paired interval falls with the root of the number of images: its half h shows a gain g in 80% of
    cases with (h / g)^2 ((z_0.975 + z_0.8) / z_0.975)^2 times as many, if all subgroups grow alike. The noise of a mean
    over subgroups depends on the harmonic mean of their sizes, so as many of each subgroup as that times the factor do
    as well.

    Args:
        audited: audit of either model on the test set.
        gain: the change of the rule's metric there, with its interval at the audit's confidence.
        size: of the gain to show, positive.
        power: how often it is shown.

    Returns:
        None if the interval or the gain is undefined or empty.
    """
    half = (gain.high - gain.low) / 2
    filled = [cell.rows for cell in audited.cells if cell.rows]
    if not (half > 0 and size > 0 and filled):
        return None
    of_end = float(ndtri((1 + audited.confidence) / 2))
    factor = (half / size) ** 2 * ((of_end + float(ndtri(power))) / of_end) ** 2
    rows = math.ceil(factor * len(filled) / sum(1 / each for each in filled))
    return Settling(of="gain", size=size, where="test", rows=rows, lacking=_lacking(audited, rows))


def _nearest(known: Sequence[RowsNeeded], size: float) -> float:
    """Return the rows for a gap, from those for the gap that is nearest to it by its ratio."""
    nearest = min(known, key=lambda each: abs(math.log(each.gap / size)))
    return nearest.rows * (nearest.gap / size) ** 2


def _lacking(audited: AuditResult, rows: int) -> tuple[Lacking, ...]:
    few = sorted((cell for cell in audited.cells if cell.rows < rows), key=lambda cell: cell.rows)
    return tuple(
        Lacking(group=cell.group, class_name=cell.class_name, rows=cell.rows, more=rows - cell.rows) for cell in few
    )
