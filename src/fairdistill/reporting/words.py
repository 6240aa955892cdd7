"""What a report's numbers mean, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairdistill.auditing.text import interval, no_harm, p_value, percent

if TYPE_CHECKING:
    from fairdistill.reporting.content import ReportRow


def in_words(rows: Sequence[ReportRow]) -> list[str]:
    """Return a sentence or two for each recipe."""
    return [" ".join(_of_row(row)) for row in rows]


def _of_row(row: ReportRow) -> list[str]:
    gap = row.deo_a
    if math.isnan(gap["value"]):
        return [
            f"{row.label}: {percent(row.accuracy['value'])}% accuracy; its DEO is undefined, since a cell is empty."
        ]
    said = [
        f"{row.label}: {percent(row.accuracy['value'])}% accuracy {interval(row.accuracy)}; the groups differ by "
        f"{percent(gap['value'])} points on average over the classes {interval(gap)}, where chance alone gives "
        f"{percent(gap['floor'])}."
    ]
    if row.collapsed:
        said.append("It predicts a single class for some seeds, whose gap of 0 means nothing.")
    if gap["low"] <= 0:
        said.append("This test set cannot tell that gap from none.")
    if row.change is not None:
        change = row.change
        said.append(
            f"Against its teacher the gap changes by {100 * change['deo_a']['value']:+.1f} points "
            f"{interval(change['deo_a'])} (p {p_value(change['deo_a']['p_value'])}), accuracy by "
            f"{100 * change['accuracy']['value']:+.1f} {interval(change['accuracy'])}."
        )
        said += no_harm(change)
    return said
