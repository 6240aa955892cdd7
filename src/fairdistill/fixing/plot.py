"""A search as a picture: every model that was tried, by gap and accuracy on the validation set."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fairdistill.drawing import AFTER, BEFORE, GROUP_MARKS, QUIET, new_axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fairdistill.fixing.result import FixResult

_FAMILIES = ("correction", "head", "line", "student")
_TITLES = {"correction": "correction (needs the group)", "head": "another last layer", "line": "on a line to one"}


def draw(result: FixResult, axes: Axes | None) -> Axes:
    """Draw every model that was evaluated, the deployed and the chosen one on top."""
    axes = new_axes(axes, width=6.5, height=4.2)
    points = [each for each in result.points if not math.isnan(each.deo_a + each.balanced_accuracy)]
    for number, family in enumerate(_FAMILIES):
        found = [each for each in points if each.family == family]
        if found:
            colour, mark = GROUP_MARKS[number + 2]
            axes.plot(
                [100 * each.deo_a for each in found], [100 * each.balanced_accuracy for each in found], mark,
                color=colour, alpha=0.55, markersize=5, label=_TITLES.get(family, family),
            )  # fmt: skip
    front = sorted((100 * each.deo_a, 100 * each.balanced_accuracy) for each in points if each.on_front)
    axes.plot(*zip(*front, strict=True), color=QUIET, linewidth=0.8, zorder=1)
    for name, colour, mark, these in (
        ("your model", BEFORE, "D", [each for each in points if each.family == "deployed"]),
        ("chosen", AFTER, "*", [each for each in points if each.chosen and each.family != "deployed"]),
    ):
        for each in these:
            axes.plot(
                100 * each.deo_a, 100 * each.balanced_accuracy, mark, color=colour, markersize=11, label=name, zorder=4
            )
    axes.legend(fontsize=8, frameon=False)
    title = f"{len(points)} models on the validation set; rule: {result.rule}"
    tidy(
        axes, title=title if len(title) < 75 else title[:72] + "...", across="DEO_A, points (lower is fairer)",
        up="accuracy, every subgroup counted equally, percent",
    )  # fmt: skip
    axes.set_xlim(left=0)
    return axes
