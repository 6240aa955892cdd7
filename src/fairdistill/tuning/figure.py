"""The trials as a picture: accuracy against unfairness, with the front, the chosen trial and the teacher."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairdistill.metrics.names import METRICS
from fairdistill.tuning import text as tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 4.8  # inches


@dataclass(frozen=True)
class _Kind:
    """How the trials of one kind are drawn; each differs from the others in shape and in colour (Okabe and Ito)."""

    label: str
    marker: str
    colour: str
    size: float
    filled: bool = True


_KINDS: Mapping[str, _Kind] = {
    "beaten": _Kind("beaten by another", "o", "#999999", 40),
    "stopped": _Kind("stopped early", "x", "#999999", 40),
    "front": _Kind("on the front", "s", "#0072B2", 50),
    "chosen": _Kind("chosen", "*", "#D55E00", 260),
    "teacher": _Kind("teacher", "D", "#000000", 55, filled=False),
}


def draw(record: Mapping[str, Any]) -> bytes:
    """Return an SVG of what ``tune.json`` holds; equal content gives equal bytes."""
    import matplotlib as mpl

    # Text stays text, and the names of its parts do not change from one drawing to the next.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fairdistill"}):
        file = io.BytesIO()
        figure(record).savefig(file, format="svg", metadata={"Date": None, "Title": tables.heading(record)})
    return file.getvalue()


def figure(record: Mapping[str, Any]) -> Figure:
    """Return the figure: the first objective against each of the others; percent."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first, *others = record["objectives"]
    found = Figure(figsize=(_SIDE * len(others) + 0.4, _SIDE), layout="constrained")
    FigureCanvasAgg(found)
    found.suptitle(
        f"{record['method']} on {record['data']}, n = {record['validation_rows']:,} validation rows, seed "
        f"{record['seed']}",
        fontsize=11,
        parse_math=False,  # a data set's name may hold a dollar sign
    )
    for at, other in enumerate(others):
        axes = found.add_subplot(1, len(others), at + 1)
        _panel(axes, record, other, first)
        if at == 0:
            axes.legend(fontsize=8, loc="best")
    return found


def _panel(axes: Axes, record: Mapping[str, Any], across: str, up: str) -> None:
    of_kind = _by_kind(record)
    if len(record["objectives"]) == 2:  # of three, a panel shows no more than a shadow of the front
        on_front = [trial["validation"] for trial in record["trials"] if trial["number"] in record["front"]]
        line = sorted((values[across], values[up]) for values in on_front)
        axes.plot([100 * x for x, _ in line], [100 * y for _, y in line], color="#0072B2", linewidth=0.8, zorder=1)
    for name, kind in _KINDS.items():
        points = of_kind[name]
        if not points:
            continue
        colours: dict[str, Any] = (
            {"color": kind.colour} if kind.filled else {"edgecolors": kind.colour, "facecolors": "none"}
        )
        axes.scatter(
            [100 * values[across] for _, values in points],
            [100 * values[up] for _, values in points],
            marker=kind.marker,
            s=kind.size,
            label=kind.label,
            zorder=3 if name == "chosen" else 2,
            **colours,
        )
        for label, values in points:
            axes.annotate(
                label, (100 * values[across], 100 * values[up]), xytext=(5, 5), textcoords="offset points", fontsize=8
            )
    axes.set_xlabel(_axis(across))
    axes.set_ylabel(_axis(up))
    axes.grid(alpha=0.3, linewidth=0.5)


def _axis(metric: str) -> str:
    better = "higher" if metric == "accuracy" else "lower"
    return f"{METRICS[metric]} on validation rows, % ({better} is better)"


def _by_kind(record: Mapping[str, Any]) -> dict[str, Sequence[tuple[str, Mapping[str, float]]]]:
    """Return the points of each kind, the number of the trial and its values."""
    found: dict[str, list[tuple[str, Mapping[str, float]]]] = {name: [] for name in _KINDS}
    for trial in record["trials"]:
        if trial["validation"] is None:
            continue
        kind = "beaten"
        if trial["state"] == "stopped early":
            kind = "stopped"
        elif trial["number"] == record["chosen"]:
            kind = "chosen"
        elif trial["number"] in record["front"]:
            kind = "front"
        found[kind].append((str(trial["number"]), trial["validation"]))
    if record["teacher"] is not None:
        found["teacher"].append(("", record["teacher"]["validation"]))
    return dict(found)
