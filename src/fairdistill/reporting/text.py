"""A report in plain sentences: what its numbers mean."""

from __future__ import annotations

import math

from fairdistill.auditing.text import no_harm
from fairdistill.reporting.result import ReportContent, ReportResult, ReportRow
from fairdistill.text.numbers import interval, p_value, percent, signed


def render(result: ReportResult) -> str:
    """Return what a report says about each method, a line each."""
    return "\n".join(sentences(result.content))


def sentences(content: ReportContent) -> list[str]:
    """Return a few sentences for each method."""
    return [" ".join(_of_row(row)) for row in content.rows]


def _of_row(row: ReportRow) -> list[str]:
    accuracy, gap = f"{row.label}: {percent(row.accuracy.value)}% accuracy", row.deo_a
    if math.isnan(gap.value):
        return [f"{accuracy}. Its DEO is undefined because a subgroup has no test images."]
    lines = [
        f"{accuracy} {interval(row.accuracy)}. Averaged over the classes, the groups differ by {percent(gap.value)} "
        f"points {interval(gap)}; chance alone would produce {percent(gap.floor)}."
    ]
    if row.collapsed:
        which = "" if len(row.seeds) == 1 else f" for seed {', '.join(map(str, row.collapsed))}"
        lines.append(f"It predicts a single class{which}, so a gap of 0 means nothing.")
    if gap.low <= 0:
        lines.append("This gap is not statistically significant.")
    if row.change is not None:
        change = row.change
        lines.append(
            f"Compared with its teacher, the gap changes by {signed(change.deo_a.value)} points "
            f"{interval(change.deo_a)} (p {p_value(change.deo_a.p_value)}) and the accuracy by "
            f"{signed(change.accuracy.value)} points {interval(change.accuracy)}."
        )
        lines += no_harm(change)
    return lines
