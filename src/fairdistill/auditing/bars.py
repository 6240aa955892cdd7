"""The accuracy of each subgroup as bars of text."""

from __future__ import annotations

import math

from fairdistill.auditing.result import AuditResult
from fairdistill.text.bars import bar
from fairdistill.text.numbers import interval, percent
from fairdistill.text.tables import aligned

_MOST = 12


def bars(result: AuditResult) -> str:
    """Return a line for each subgroup with samples, the worst first and at most 12; empty if there are none."""
    cells = [cell for cell in result.cells if not math.isnan(cell.accuracy.value)]
    cells.sort(key=lambda cell: cell.accuracy.value)
    if not cells:
        return ""
    title = "Class, group" if len(cells) <= _MOST else f"Class, group (worst {_MOST} of {len(cells)})"
    rows = [[title, "accuracy", "", ""]]
    rows += [
        [
            f"{cell.class_name}, {cell.group}", percent(cell.accuracy.value), interval(cell.accuracy),
            bar(cell.accuracy.value),
        ]
        for cell in cells[:_MOST]
    ]  # fmt: skip
    return "\n".join(aligned(rows, left=(0, 3)))
