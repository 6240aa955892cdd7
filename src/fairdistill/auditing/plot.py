"""An audit as a picture: the accuracy of every subgroup, and how it changes from another model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fairdistill.auditing.result import AuditResult, ClassAudit, ModelChange
from fairdistill.drawing import BETTER, GROUP_MARKS, QUIET, WORSE, new_axes, tidy
from fairdistill.text.numbers import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CLASSES = 12
_MOST_CHANGES = 30
_LINE = 0.22  # inches


def draw(result: AuditResult | ModelChange, axes: Axes | None) -> Axes:
    """Draw an audit, or the change between two models."""
    return _changes(result, axes) if isinstance(result, ModelChange) else _subgroups(result, axes)


def _subgroups(result: AuditResult, axes: Axes | None) -> Axes:
    """Draw the accuracy of each subgroup with its interval, a block for each class.

    A grey band around the accuracy of the class shows how far apart chance alone would draw the groups. With more than
    12 classes, those with the largest gaps are drawn.
    """
    classes = _shown(result)
    groups = [name for name in result.group_names if any(cell.group == name for cell in result.cells)]
    cells = {(cell.class_name, cell.group): cell for cell in result.cells}
    block = len(groups) + 1
    axes = new_axes(axes, width=7, height=1.2 + _LINE * block * len(classes))
    places = []
    for row, of_class in enumerate(classes):
        top = -row * block
        places.append(top - (len(groups) - 1) / 2)
        middle, half = of_class.accuracy.value, of_class.deo.floor / 2
        if not math.isnan(middle + half):
            axes.fill_betweenx(
                [top - len(groups) + 0.4, top + 0.6], 100 * (middle - half), 100 * (middle + half), color=QUIET,
                alpha=0.25, linewidth=0, label="as far apart as chance alone would show" if row == 0 else None,
            )  # fmt: skip
        for at, group in enumerate(groups):
            cell = cells.get((of_class.class_name, group))
            if cell is None or cell.rows == 0:
                continue
            colour, mark = GROUP_MARKS[at % len(GROUP_MARKS)]
            value = cell.accuracy
            axes.plot([100 * value.low, 100 * value.high], [top - at] * 2, color=colour, linewidth=1.5)
            axes.plot(
                100 * value.value, top - at, mark, color=colour, markersize=6, label=group if row == 0 else None,
            )  # fmt: skip
    axes.set_yticks(places, [each.class_name for each in classes], parse_math=False)
    left_out = len(result.classes) - len(classes)
    tidy(
        axes,
        title=f"DEO_A {percent(result.deo_a.value)}, accuracy {percent(result.accuracy.value)}"
        + (f"; the {len(classes)} classes with the largest gaps" if left_out else ""),
        across=f"accuracy of each group on the class, percent, with {result.confidence:.0%} interval",
        up="class",
    )
    axes.grid(visible=False, axis="y")
    legend = axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    for text in legend.get_texts():
        text.set_parse_math(False)
    return axes


def _shown(result: AuditResult) -> list[ClassAudit]:
    """Return the classes to draw, in their order: all, or those with the largest gaps."""
    largest = sorted(result.classes, key=lambda each: -math.inf if math.isnan(each.deo.value) else -each.deo.value)
    chosen = {each.class_name for each in largest[:_MOST_CLASSES]}
    return [each for each in result.classes if each.class_name in chosen]


def _changes(result: ModelChange, axes: Axes | None) -> Axes:
    """Draw how the accuracy of each subgroup changes, with its interval.

    With more than 30 subgroups, the 15 that lose most and the 15 that gain most are drawn.
    """
    cells = sorted(result.cells, key=lambda each: each.value)
    if len(cells) > _MOST_CHANGES:
        cells = [*cells[: _MOST_CHANGES // 2], *cells[-_MOST_CHANGES // 2 :]]
    axes = new_axes(axes, width=7, height=1.2 + _LINE * len(cells))
    for row, cell in enumerate(reversed(cells)):
        colour = WORSE if cell.harmed else BETTER if cell.helped else QUIET
        axes.plot([100 * cell.low, 100 * cell.high], [row] * 2, color=colour, linewidth=1.5)
        axes.plot(100 * cell.value, row, "v" if cell.harmed else "^" if cell.helped else "o", color=colour)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(
        range(len(cells)), [f"{cell.class_name}, {cell.group}" for cell in reversed(cells)], parse_math=False
    )
    hurt, helped = sum(each.harmed for each in cells), sum(each.helped for each in cells)
    tidy(
        axes, title=f"Significantly better: {helped}; worse: {hurt}; no clear change: {len(cells) - hurt - helped}",
        across="change of accuracy, points, with its interval", up="class, group",
    )  # fmt: skip
    axes.grid(visible=False, axis="y")
    return axes
