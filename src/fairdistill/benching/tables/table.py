"""The command ``bench table``: a grid's finished runs next to the published numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairdistill import paper
from fairdistill.benching.folder import GridRecord, read_grid
from fairdistill.benching.tables.options import TableOptions
from fairdistill.benching.tables.result import Measured, Published, TableResult, TableRow
from fairdistill.comparing import CompareRow, OverSeeds, compare
from fairdistill.contract import with_keywords
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs import RunFolder

_CHANCE = 0.02  # a run that beats the share of the largest class by less has learned next to nothing


def bench_table(folder: str | Path, *, options: TableOptions | None = None, **keywords: Any) -> TableResult:
    """Tabulate the finished runs of a grid next to the published numbers.

    Args:
        folder: the grid's folder.
        options: how the command line prints the table; the result itself does not depend on it.
        **keywords: options by name.

    Raises:
        RunFolderError: if the folder does not hold a grid, or a run in it does not belong there.
        UsageError: if no run is finished, or the runs were tested on different data.

    Example:
        >>> print(bench_table("bench/digits"))  # doctest: +SKIP
    """
    with_keywords(TableOptions, options, keywords)
    path = Path(folder)
    grid = read_grid(path)
    finished = [run for run in sorted(path.iterdir()) if (run / "result.json").exists()]
    if not finished:
        raise UsageError(f"no run in {path} is finished; run them with: fairdistill bench {grid.data} --out {path}")
    _check_same(finished, grid)
    comparison = compare(finished)
    published = paper.PUBLISHED.get(grid.data, {})
    return TableResult(
        data=comparison.data,
        protocol=comparison.protocol,
        made_with=comparison.made_with,
        published=grid.data in paper.PUBLISHED,
        rows=tuple(_row(row, published.get(row.method)) for row in comparison.rows),
    )


def _check_same(paths: Sequence[Path], grid: GridRecord) -> None:
    for path in paths:
        run = RunFolder.open(path)
        own = GridRecord(
            data=run.config["data"], protocol=run.config["protocol"], fairdistill=run.environment["fairdistill"]
        )
        for what in ("protocol", "data", "fairdistill"):
            found, expected = getattr(own, what), getattr(grid, what)
            if found != expected:
                raise RunFolderError(
                    f"{path} has {what} {found}, but its grid has {expected}; the table cannot mix them, so move that "
                    "run out of the folder"
                )


def _row(row: CompareRow, published: paper.Published | None) -> TableRow:
    accuracy, deo_a, deo_m = published or (None, None, None)
    return TableRow(
        method=row.label,
        seeds=row.seeds,
        accuracy=_measured(row.accuracy, accuracy),
        deo_a=_measured(row.deo_a, deo_a),
        deo_m=_measured(row.deo_m, deo_m),
        steps=row.steps,
        samples=row.samples,
        at_chance=_at_chance(row),
    )


def _measured(metric: OverSeeds, published: tuple[float, float] | None) -> Measured:
    if published is None:
        return Measured(mean=metric.mean, sd=metric.sd, published=None, differs=False)
    value, spread = published  # percent
    sample = spread * math.sqrt(paper.PUBLISHED_RUNS / (paper.PUBLISHED_RUNS - 1))
    sd = 0.0 if math.isnan(metric.sd) else 100 * metric.sd
    return Measured(
        mean=metric.mean,
        sd=metric.sd,
        published=Published(mean=value / 100, sd=spread / 100),
        differs=abs(100 * metric.mean - value) > max(sample, sd),
    )


def _at_chance(row: CompareRow) -> tuple[int, ...]:
    """Return the seeds whose run is hardly better than always predicting the largest class, or predicts only one."""
    seeds = []
    for seed, path, accuracy in zip(row.seeds, row.paths, row.accuracy.values, strict=True):
        counts = RunFolder.open(path).result["counts"]
        by_class = [sum(sum(group[label]) for group in counts) for label in range(len(counts[0]))]
        largest = max(by_class) / max(1, sum(by_class))
        if seed in row.collapsed or accuracy <= largest + _CHANCE:
            seeds.append(seed)
    return tuple(seeds)
