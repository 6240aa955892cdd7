"""Subgroups with few samples or none, as text for a terminal."""

from __future__ import annotations

import math

from fairdistill.auditing.result import AuditResult
from fairdistill.text.lists import listed
from fairdistill.text.numbers import interval, percent
from fairdistill.text.tables import aligned

FEW = 50
"""Samples below which the interval of a subgroup by itself is wider than about 25 points."""
_SHOWN = 12
_NAMED = 8


def few_samples(result: AuditResult) -> list[str]:
    """Return the subgroups with few samples, smallest first, with their pooled estimates; nothing if there are none.

    Those of a class that no sample has are left out, as nothing is known about it.
    """
    known = {each.class_name for each in result.classes if each.rows}
    few = [cell for cell in result.cells if cell.rows < FEW and cell.class_name in known]
    few.sort(key=lambda cell: cell.rows)
    if not few or all(math.isnan(cell.pooled.value) for cell in few):
        return []
    rows = [["Few samples", "samples", "accuracy", "", "pooled estimate", ""]]
    rows += [
        [
            f"{cell.class_name}, {cell.group}", f"{cell.rows:,}", percent(cell.accuracy.value),
            interval(cell.accuracy), percent(cell.pooled.value), interval(cell.pooled),
        ]
        for cell in few[:_SHOWN]
    ]  # fmt: skip
    more = len(few) - _SHOWN
    left_out = f"{more:,} more with fewer than {FEW} samples are in audit.json. " if more > 0 else ""
    return [
        "",
        *aligned(rows),
        f"{left_out}A pooled estimate also uses what the class shows in other groups and the group in other classes.",
    ]


def complete_in_words(result: AuditResult) -> list[str]:
    """Return what the classes show of which every group has samples, if there are any."""
    mean, largest = result.metrics.deo_a_complete, result.metrics.deo_m_complete
    if not mean.classes:
        return ["No class has samples of every group."]
    names = listed(mean.classes, _NAMED)
    which = f"the {len(mean.classes)} classes with samples of every group ({names})"
    if len(mean.classes) == 1:
        which = f"the only class with samples of every group ({names})"
    return [
        f"Over {which}, DEO_A is {percent(mean.value)} {interval(mean)} and DEO_M {percent(largest.value)} "
        f"{interval(largest)}; chance alone would show {percent(mean.floor)} and {percent(largest.floor)}."
    ]
