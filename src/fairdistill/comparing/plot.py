"""Compared runs as a picture: accuracy against the gap, with the spread over the seeds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fairdistill.drawing import GROUP_MARKS, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fairdistill.comparing.result import CompareResult


def draw(result: CompareResult, axes: Axes | None) -> Axes:
    """Draw each row at its DEO_A and accuracy, means over the seeds."""
    axes = new_axes(axes, width=6.5, height=4.2)
    for number, row in enumerate(result.rows):
        if math.isnan(row.deo_a.mean):
            continue
        colour, mark = GROUP_MARKS[number % len(GROUP_MARKS)]
        spread = [0.0 if math.isnan(each.sd) else 100 * each.sd for each in (row.deo_a, row.accuracy)]
        axes.errorbar(
            100 * row.deo_a.mean, 100 * row.accuracy.mean, xerr=spread[0], yerr=spread[1], fmt=mark, color=colour,
            markersize=7, linewidth=1, alpha=0.9,
        )  # fmt: skip
        axes.annotate(
            row.label, (100 * row.deo_a.mean, 100 * row.accuracy.mean), (7, 5), textcoords="offset points", fontsize=9,
            parse_math=False,
        )  # fmt: skip
    seeds = sorted({len(row.seeds) for row in result.rows})
    n = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    tidy(
        axes, title=f"{result.data}, {result.protocol} protocol; mean ± sd over {n} seed{'' if n == '1' else 's'}",
        across="DEO_A, points (lower is fairer)", up="accuracy, percent",
    )  # fmt: skip
    return axes
