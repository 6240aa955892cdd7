"""The command ``bench``: what it says while a grid runs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from fairdistill.benching.cost import Samples, samples, seconds_by_trial, seconds_left
from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import Grid, Job, open_grid, plan
from fairdistill.benching.schedule import Report
from fairdistill.benching.states import Standing, standing
from fairdistill.benching.tables import bench_table
from fairdistill.errors import FairdistillError, UsageError
from fairdistill.system.processes import launched_together
from fairdistill.system.threads import processors
from fairdistill.training import format_seconds


def bench(name: str, options: BenchOptions, data_options: Mapping[str, Any]) -> bool:
    """Run a grid, or say what it would run; return whether every job is done.

    Raises:
        UsageError: for a grid that cannot be, a cluster that cannot be joined, or several processes of torchrun's.
        RunFolderError: if its folder holds another grid.
    """
    if launched_together() > 1:
        raise UsageError(
            "bench starts its own processes: give it --workers or --engine ray instead of torchrun; one run over "
            "several processes is: torchrun ... -m fairdistill train"
        )
    grid = plan(name, options, data_options)
    if options.dry_run:
        print(dry_run(grid, options.workers or 1))
        return True
    with _engine(options) as (workers, run):
        open_grid(grid.path, name, options.protocol)
        images = cache(lambda: _samples_if_known(grid))  # reads the data, so only when the first job is done
        print(overview(grid, images, workers), file=sys.stderr)
        with _watched(grid, images, workers) as report:
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
    from fairdistill.benching.cluster import joined
    from fairdistill.benching.remote import run_on_ray

    cpus, gpus = options.cpus_per_run, options.gpus_per_run
    with joined(options.address, cpus=cpus, gpus=gpus) as room:
        workers = options.workers or room
        yield min(workers, room), partial(run_on_ray, cpus=cpus, gpus=gpus, workers=workers)


def _samples_if_known(grid: Grid) -> Samples:
    try:
        return samples(grid.jobs)
    except FairdistillError:  # the data may be on the machines of a cluster alone; every run says what it lacks
        return {}


def dry_run(grid: Grid, workers: int) -> str:
    """Return the jobs, the images they will see, and how long it may take, by a few steps if none is done."""
    try:
        images = samples(grid.jobs)
    except FairdistillError as error:
        return f"{overview(grid, dict, workers)}\nTheir images cannot be counted here: {error}"
    lines = [overview(grid, lambda: images, workers), f"{sum(images.values()):,} training images in all"]
    untaught = next((job for job in grid.jobs if job.teacher is None), None)
    if untaught is not None and not any(each.state == "done" for each in _standings(grid).values()):
        seconds = seconds_by_trial(untaught, images, workers=workers, threads=max(1, processors() // workers))
        lines[-1] += f"; by a few steps of the first about {format_seconds(seconds)}, {workers} at a time"
    return "\n".join(lines)


def overview(grid: Grid, images: Callable[[], Samples], workers: int) -> str:
    """Return the jobs with their states, and how long the rest may take with so many at a time.

    Args:
        grid: the jobs.
        images: gives the images that each will see; called if some jobs are done and others are not.
        workers: jobs at a time.
    """
    standings = _standings(grid)
    counts = Counter(each.state for each in standings.values())
    lines = [
        f"{job.path.name}  {each.state}  {each.detail}".rstrip()
        for job, each in zip(grid.jobs, standings.values(), strict=True)
    ]
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    return "\n".join([*lines, f"{len(grid.jobs)} jobs: {said}; {_time(standings, images, workers)}"])


def _standings(grid: Grid) -> dict[str, Standing]:
    return {job.id: standing(job) for job in grid.jobs}


def _time(standings: Mapping[str, Standing], images: Callable[[], Samples], workers: int) -> str:
    states = {each.state for each in standings.values()}
    if states == {"done"}:
        return "nothing left to do"
    seconds = seconds_left(standings, images(), workers=workers) if "done" in states else None
    if seconds is None:
        return "how long it takes is not known yet"
    return f"about {format_seconds(seconds)} left, {workers} at a time"


@contextmanager
def _watched(grid: Grid, images: Callable[[], Samples], workers: int) -> Iterator[Report]:
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
        standings = _standings(grid)
        shown = Table("Run", "State", "", box=None, caption=_time(standings, images, workers))
        for job, each in zip(grid.jobs, standings.values(), strict=True):
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
