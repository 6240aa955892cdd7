"""The command ``bench table``: a grid's finished runs next to the published numbers."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairdistill import paper
from fairdistill.benching.folder import GridRecord, read_grid, told_how_to_repeat
from fairdistill.benching.tables.options import TableOptions
from fairdistill.benching.tables.result import Measured, Published, TableResult, TableRow
from fairdistill.comparing import CompareRow, OverSeeds, compare, is_row_file
from fairdistill.comparing.recipes import FinishedRun, Recipe
from fairdistill.contract import Location, listed_paths, with_keywords
from fairdistill.data import entry
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs import RunFolder

_CHANCE = 0.02  # a run that beats the share of the largest class by less has learned next to nothing


def bench_table(
    sources: Location | Sequence[Location], *, options: TableOptions | None = None, **keywords: Any
) -> TableResult:
    """Tabulate the finished runs of a grid next to the published numbers.

    Args:
        sources: the grid's folder, or several: grids of other machines or versions, and row files (what
            ``compare --format json`` printed, ``.json``), whose rows are put together.
        options: how the command line prints the table; the result itself does not depend on it.
        **keywords: options by name.

    Raises:
        RunFolderError: if a folder does not hold a grid, or a run in it does not belong there.
        DataError: if a row file cannot be read.
        UsageError: if no run is finished, or the runs were tested on different data.

    Example:
        >>> print(bench_table(["bench/digits", "seed0.json"]))  # doctest: +SKIP
    """
    with_keywords(TableOptions, options, keywords)
    given = listed_paths("folders of grids", sources)
    grids = {str(source): read_grid(Path(source)) for source in given if not is_row_file(source)}
    comparison = compare([each for source in given for each in _runs(source, grids.get(str(source)))])
    name = next((grid.data for grid in grids.values()), comparison.data.split(",")[0])  # a row file tells no path
    published = paper.PUBLISHED.get(name, {}) if _is_the_papers(name, comparison.data) else {}
    return TableResult(
        data=comparison.data,
        protocol=comparison.protocol,
        made_with=comparison.made_with,
        published=bool(published),
        rows=tuple(_row(row, comparison.largest_class, published.get(row.method)) for row in comparison.rows),
    )


def _is_the_papers(name: str, caption: str) -> bool:
    """Return whether a built-in data set has the target, groups and skew that the paper reports.

    Args:
        name: the data set.
        caption: what the runs say of it: its name, then its options.
    """
    if name not in paper.PUBLISHED:
        return False
    defaults, given = entry(name).options(), caption.split(", ")[1:]
    reported = {
        option: getattr(defaults, option) for option in ("target", "group", "skew") if hasattr(defaults, option)
    }
    of_these = [part for part in given if part.split(" ")[0] in reported]
    return set(of_these) <= {f"{option} {value}" for option, value in reported.items()}


def _runs(source: str | Path, grid: GridRecord | None) -> list[str | Path]:
    """Return the finished runs of a grid, or the row file itself."""
    if grid is None:
        return [source]
    path = Path(source)
    finished = [_opened(run) for run in sorted(path.iterdir()) if (run / "result.json").exists()]
    if not finished:
        command = f"fairdistill bench {shlex.quote(str(grid.data))} --out {shlex.quote(str(path))}"
        raise UsageError(f"no run in {path} is finished; run them with: {command}")
    for run in finished:
        _check_same(run, grid)
    return _once(finished)


def _opened(path: Path) -> RunFolder:
    """Return a finished run of a grid, whose result can be read."""
    with told_how_to_repeat(path):
        run = RunFolder.open(path)
        assert run.result, "it is checked when it is read"
    return run


def _once(runs: Sequence[RunFolder]) -> list[str | Path]:
    """Return the runs without repetitions: a teacher's budget in epochs may be that of its row in steps."""
    rows = [(str(run.config["method"]), str(run.config["seed"])) for run in runs]
    times = Counter(rows)
    kept: dict[object, str | Path] = {}
    for run, row in zip(runs, rows, strict=True):
        kept.setdefault(row if times[row] == 1 else _computed(run.path), run.path)
    return list(kept.values())


def _computed(path: Path) -> tuple[Recipe, str]:
    """Return what a run computed: runs for which it is equal are one."""
    run = FinishedRun.read(path)
    return run.recipe, repr(run.seeds)


def _check_same(run: RunFolder, grid: GridRecord) -> None:
    own = GridRecord(
        data=run.config["data"], protocol=run.config["protocol"], fairdistill=run.environment["fairdistill"]
    )
    for what in ("protocol", "data", "fairdistill"):
        found, expected = getattr(own, what), getattr(grid, what)
        if found != expected:
            raise RunFolderError(
                f"{run.path} has {what} {found}, but its grid has {expected}; the table cannot mix them, so move that "
                "run out of the folder"
            )


def _row(row: CompareRow, largest_class: float, published: paper.Published | None) -> TableRow:
    accuracy, deo_a, deo_m = published or (None, None, None)
    return TableRow(
        method=row.label,
        seeds=row.seeds,
        accuracy=_measured(row.accuracy, accuracy),
        deo_a=_measured(row.deo_a, deo_a),
        deo_m=_measured(row.deo_m, deo_m),
        steps=row.steps,
        samples=row.samples,
        at_chance=_at_chance(row, largest_class),
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


def _at_chance(row: CompareRow, largest_class: float) -> tuple[int, ...]:
    """Return the seeds whose run is hardly better than always predicting the largest class, or predicts only one."""
    return tuple(
        seed
        for seed, accuracy in zip(row.seeds, row.accuracy.values, strict=True)
        if seed in row.collapsed or accuracy <= largest_class + _CHANCE
    )
