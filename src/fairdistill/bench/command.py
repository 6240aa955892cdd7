"""The command ``bench``: what it says while a grid runs."""

from __future__ import annotations

import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from fairdistill.bench.local import run_local
from fairdistill.bench.options import BenchOptions
from fairdistill.bench.plan import Grid, Job, open_grid, plan
from fairdistill.bench.schedule import Report
from fairdistill.bench.states import Standing, standing
from fairdistill.bench.tables import bench_table
from fairdistill.errors import UsageError
from fairdistill.training.estimate import format_seconds


def bench(name: str, options: BenchOptions, data_options: Mapping[str, Any]) -> bool:
    """Run a grid, or say what it would run; return whether every job is done.

    Raises:
        UsageError: for a grid that cannot be, a cluster that cannot be joined, or several processes of torchrun's.
        RunFolderError: if its folder holds another grid.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "bench starts its own processes: give it --workers or --engine ray instead of torchrun; one run over "
            "several processes is: torchrun ... -m fairdistill train"
        )
    grid = plan(name, options, data_options)
    if options.dry_run:
        print(overview(grid, options.workers or 1))
        return True
    with _engine(options) as (workers, run):
        open_grid(grid.path, name, options.protocol)
        print(overview(grid, workers), file=sys.stderr)
        with _watched(grid, workers) as report:
            complete = run(grid, report=report)
    states = Counter(standing(job).state for job in grid.jobs)
    if states["done"]:
        print(bench_table(grid.path))
    if not complete:
        left = ", ".join(f"{count} {state}" for state, count in states.items() if state != "done")
        print(f"\n{left}; the same command goes on with them", file=sys.stderr)
    return complete


@contextmanager
def _engine(options: BenchOptions) -> Iterator[tuple[int, Callable[..., bool]]]:
    """Give how many runs are done at a time, and what does them."""
    if options.engine == "local":
        workers = options.workers or 1
        yield workers, partial(run_local, workers=workers)
        return
    from fairdistill.bench.cluster import joined
    from fairdistill.bench.remote import run_on_ray

    cpus, gpus = options.cpus_per_run, options.gpus_per_run
    with joined(options.address, cpus=cpus, gpus=gpus) as room:
        workers = options.workers or room
        yield min(workers, room), partial(run_on_ray, cpus=cpus, gpus=gpus, workers=workers)


def overview(grid: Grid, workers: int) -> str:
    """Return the jobs with their states, and how long the rest may take with so many at a time."""
    standings = [standing(job) for job in grid.jobs]
    counts = Counter(each.state for each in standings)
    lines = [
        f"{job.path.name}  {each.state}  {each.detail}".rstrip() for job, each in zip(grid.jobs, standings, strict=True)
    ]
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    return "\n".join([*lines, f"{len(grid.jobs)} jobs: {said}; {_time(standings, workers)}"])


def _time(standings: list[Standing], workers: int) -> str:
    left = sum(each.state != "done" for each in standings)
    if not left:
        return "nothing left to do"
    done = [each.seconds for each in standings if each.state == "done"]
    if not done:
        return "how long it takes is known when the first is done"
    return f"about {format_seconds(left * statistics.fmean(done) / workers)} left, {workers} at a time"


@contextmanager
def _watched(grid: Grid, workers: int) -> Iterator[Report]:
    """Give what is told of every job: a line each, and on a terminal a table that follows the runs."""

    def report(job: Job, state: str) -> None:
        _say(grid, job, state)

    if not sys.stderr.isatty():
        yield report
        return
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def table() -> Table:
        standings = [standing(job) for job in grid.jobs]
        shown = Table("Run", "State", "", box=None, caption=_time(standings, workers))
        for job, each in zip(grid.jobs, standings, strict=True):
            if each.state in ("running", "stopped"):
                shown.add_row(job.path.name, each.state, each.detail)
        return shown

    with Live(get_renderable=table, console=Console(stderr=True), refresh_per_second=1, transient=True):
        yield report


def _say(grid: Grid, job: Job, state: str) -> None:
    done = sum(standing(each).state == "done" for each in grid.jobs)
    print(
        f"[{done}/{len(grid.jobs)}] {job.path.name}: {state}  {standing(job).detail}".rstrip(),
        file=sys.stderr,
        flush=True,
    )
