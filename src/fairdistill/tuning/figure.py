"""The trials as a picture: accuracy against unfairness, with the Pareto front, the chosen trial and the teacher."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairdistill.metrics import SCORES, Scores, higher_is_better
from fairdistill.tuning.result import TuneResult
from fairdistill.tuning.text import heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 4.8  # inches


@dataclass(frozen=True)
class _Kind:
    """How trials of one kind are drawn; every kind has a shape and a colour of its own (Okabe and Ito)."""

    label: str
    marker: str
    colour: str
    size: float
    filled: bool = True


_KINDS: Mapping[str, _Kind] = {
    "beaten": _Kind("beaten by another trial", "o", "#999999", 40),
    "stopped": _Kind("stopped early", "x", "#999999", 40),
    "front": _Kind("on the Pareto front", "s", "#0072B2", 50),
    "chosen": _Kind("chosen", "*", "#D55E00", 260),
    "teacher": _Kind("teacher", "D", "#000000", 55, filled=False),
}


@dataclass(frozen=True)
class _Point:
    """One trial, or the teacher, in the picture: its label and its scores."""

    label: str
    scores: Scores

    def at(self, across: str, up: str) -> tuple[float, float]:
        """Return its place, in percent."""
        return 100 * self.scores[across], 100 * self.scores[up]


def draw(result: TuneResult) -> bytes:
    """Return the figure as SVG; equal results give equal bytes."""
    import matplotlib as mpl

    # Text stays text, and the ids of the parts do not change from one drawing to the next.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fairdistill"}):
        file = io.BytesIO()
        figure(result).savefig(file, format="svg", metadata={"Date": None, "Title": heading(result)})
    return file.getvalue()


def figure(result: TuneResult) -> Figure:
    """Return the figure: the first objective against each of the others, in percent."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first, *others = result.objectives
    found = Figure(figsize=(_SIDE * len(others) + 0.4, _SIDE), layout="constrained")
    FigureCanvasAgg(found)
    found.suptitle(
        f"{result.method} on {result.data}, {result.validation_rows:,} validation samples, seed {result.seed}",
        fontsize=11,
        parse_math=False,  # a data set's name may contain a dollar sign
    )
    for at, other in enumerate(others):
        axes = found.add_subplot(1, len(others), at + 1)
        _panel(axes, result, other, first)
        if at == 0:
            axes.legend(fontsize=8, loc="best")
    return found


def _panel(axes: Axes, result: TuneResult, across: str, up: str) -> None:
    if len(result.objectives) == 2:  # with three objectives, a line would show only a projection of the front
        line = sorted(
            _Point("", trial.validation).at(across, up)
            for trial in result.trials
            if trial.number in result.front and trial.validation is not None
        )
        axes.plot([x for x, _ in line], [y for _, y in line], color="#0072B2", linewidth=0.8, zorder=1)
    for name, points in _by_kind(result).items():
        if points:
            _scatter(axes, name, {point.label: point.at(across, up) for point in points})
    axes.set_xlabel(_axis(across))
    axes.set_ylabel(_axis(up))
    axes.grid(alpha=0.3, linewidth=0.5)


def _scatter(axes: Axes, name: str, places: Mapping[str, tuple[float, float]]) -> None:
    kind = _KINDS[name]
    colours: dict[str, Any] = (
        {"color": kind.colour} if kind.filled else {"edgecolors": kind.colour, "facecolors": "none"}
    )
    axes.scatter(
        [x for x, _ in places.values()],
        [y for _, y in places.values()],
        marker=kind.marker,
        s=kind.size,
        label=kind.label,
        zorder=3 if name == "chosen" else 2,
        **colours,
    )
    for label, place in places.items():
        axes.annotate(label, place, xytext=(5, 5), textcoords="offset points", fontsize=8)


def _axis(metric: str) -> str:
    better = "higher" if higher_is_better(metric) else "lower"
    return f"{SCORES[metric]} on the validation set, % ({better} is better)"


def _by_kind(result: TuneResult) -> dict[str, list[_Point]]:
    """Return the points of each kind."""
    found: dict[str, list[_Point]] = {name: [] for name in _KINDS}
    for trial in result.trials:
        if trial.validation is None:
            continue
        kind = "beaten"
        if trial.state == "stopped early":
            kind = "stopped"
        elif trial.number == result.chosen:
            kind = "chosen"
        elif trial.number in result.front:
            kind = "front"
        found[kind].append(_Point(str(trial.number), trial.validation))
    if result.teacher is not None:
        found["teacher"].append(_Point("", result.teacher.validation))
    return found
