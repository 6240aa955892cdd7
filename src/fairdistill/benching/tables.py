"""A grid's table: what was measured beside what was published."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fairdistill import paper
from fairdistill.benching.plan import read_grid
from fairdistill.comparing import compare
from fairdistill.comparing.compare import Comparison, Row
from fairdistill.contract import check_types
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.metrics.names import METRICS
from fairdistill.runs import RunFolder
from fairdistill.text.tables import aligned, latex, markdown

Format = Literal["text", "md", "latex", "csv", "html"]

_CHANCE = 0.02  # above the share of the largest class, a run has learned next to nothing


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How the table of a grid is written."""

    format: Format = "text"
    """text, md, latex, csv or html; percent in all of them."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class _Line:
    """A row of the table: its label, and per metric the measured and the published value as texts."""

    label: str
    n: int
    cells: tuple[tuple[str, str], ...]
    steps: int
    samples: int


def bench_table(path: str | Path, options: TableOptions | None = None) -> str:
    """Return the table of a grid's finished runs beside the published one.

    A difference is marked with ``*`` if it is larger than both spreads: the sd of the runs (ddof 1) and the published
    one (ddof 0 of four runs, here as ddof 1). Runs at chance level are marked, since their DEO says nothing.

    Args:
        path: the grid's folder.
        options: see :class:`TableOptions`.

    Raises:
        RunFolderError: if it is no grid.
        UsageError: if no run is finished, or its runs are of several versions or were tested on different data.
    """
    options = options or TableOptions()
    path = Path(path)
    grid = read_grid(path)
    finished = [folder for folder in sorted(path.iterdir()) if (folder / "result.json").exists()]
    if not finished:
        raise UsageError(f"no run of {path} is finished; run them with: fairdistill bench {grid['data']} --out {path}")
    _check_same(finished, grid)
    comparison = compare(finished)
    published = paper.PUBLISHED.get(grid["data"], {})
    lines = [_line(row, published.get(row.method), at_chance(row)) for row in comparison.rows]
    writers: Mapping[Format, Callable[[Sequence[_Line], str, bool], str]] = {
        "text": _text, "md": _markdown, "latex": _latex, "csv": _csv, "html": _html,
    }  # fmt: skip
    return writers[options.format](lines, _caption(comparison, grid["data"]), bool(published))


def at_chance(row: Row) -> tuple[int, ...]:
    """Return the seeds whose run is hardly better than naming the largest class, or names one class alone."""
    seeds = []
    for seed, path, accuracy in zip(row.seeds, row.paths, row.values["accuracy"], strict=True):
        counts = RunFolder.open(path).result["counts"]
        by_class = [sum(sum(group[label]) for group in counts) for label in range(len(counts[0]))]
        largest = max(by_class) / max(1, sum(by_class))
        if seed in row.collapsed or accuracy <= largest + _CHANCE:
            seeds.append(seed)
    return tuple(seeds)


def _check_same(paths: Sequence[Path], grid: Mapping[str, str]) -> None:
    for path in paths:
        run = RunFolder.open(path)
        own = {
            **{name: run.config[name] for name in ("protocol", "data")},
            "fairdistill": run.environment["fairdistill"],
        }
        for what, found in own.items():
            if found != grid[what]:
                raise RunFolderError(
                    f"{path} is of {what} {found}, its grid of {grid[what]}; they do not go into one table: move it "
                    "away"
                )


def _line(row: Row, published: paper.Published | None, chance: tuple[int, ...]) -> _Line:
    cells = []
    for at, metric in enumerate(METRICS):
        mean, sd = 100 * row.mean(metric), 100 * row.sd(metric)
        if published is None:
            cells.append((_shown(mean, sd), "not published"))
            continue
        value, spread = published[at]
        sample = spread * math.sqrt(paper.PUBLISHED_RUNS / (paper.PUBLISHED_RUNS - 1))
        apart = abs(mean - value) > max(sample, 0.0 if math.isnan(sd) else sd)
        cells.append((_shown(mean, sd) + (" *" if apart else ""), _shown(value, spread)))
    label = row.label
    if chance:
        label += f" [at chance level: seed {', '.join(map(str, chance))}]"
    return _Line(label, len(row.seeds), tuple(cells), row.steps, row.samples)


def _shown(mean: float, sd: float) -> str:
    if math.isnan(mean):
        return "undefined"
    return f"{mean:.2f}" + ("" if math.isnan(sd) else f" ± {sd:.2f}")


def _caption(comparison: Comparison, name: str) -> str:
    said = (
        f"{comparison.data}; {comparison.protocol} protocol; test set, percent, mean ± sd over n seeds (ddof 1). "
        f"{'; '.join(comparison.made_with)}."
    )
    if name in paper.PUBLISHED:
        said += (
            " Published: Jung et al. (CVPR 2021), supplement, mean ± sd of 4 runs (ddof 0); * differs by more than "
            "both spreads."
        )
    return said


def _rows(lines: Sequence[_Line], published: bool) -> list[tuple[str, ...]]:
    header = ["Method", "n"]
    for name in METRICS.values():
        header += [name, "published"] if published else [name]
    rows = [(*header, "Steps", "Images seen")]
    for line in lines:
        cells = [part for cell in line.cells for part in (cell if published else cell[:1])]
        rows.append((line.label, str(line.n), *cells, f"{line.steps:,}", f"{line.samples:,}"))
    return rows


def _text(lines: Sequence[_Line], caption: str, published: bool) -> str:
    return "\n".join([*aligned(_rows(lines, published)), "", caption])


def _markdown(lines: Sequence[_Line], caption: str, published: bool) -> str:
    return f"{markdown(_rows(lines, published))}\n\n{caption}"


def _latex(lines: Sequence[_Line], caption: str, published: bool) -> str:
    return latex(_rows(lines, published), caption)


def _csv(lines: Sequence[_Line], caption: str, published: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(lines, published))
    return text.getvalue().rstrip("\n")


def _html(lines: Sequence[_Line], caption: str, published: bool) -> str:
    head, *body = _rows(lines, published)
    cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    rows = [
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in body
    ]
    return "\n".join(
        [f"<table><caption>{html.escape(caption)}</caption>", f"<thead><tr>{cells}</tr></thead>", "<tbody>", *rows,
         "</tbody></table>"]
    )  # fmt: skip
