"""Running a grid on the engine that was chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial

from fairdistill.benching.cost import Samples, samples
from fairdistill.benching.folder import open_grid
from fairdistill.benching.former_code import runs_of_former_code
from fairdistill.benching.jobs import Grid
from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.overview import as_it_stands, planned
from fairdistill.benching.plan import plan
from fairdistill.benching.progress import followed
from fairdistill.benching.result import BenchResult
from fairdistill.benching.states import standing, standings
from fairdistill.benching.tables import bench_table
from fairdistill.benching.text import overview, remainder
from fairdistill.data import load_splits
from fairdistill.errors import FairdistillError, UsageError
from fairdistill.methods import parts
from fairdistill.models import trust_code
from fairdistill.system.processes import launched_together
from fairdistill.text.telling import tell
from fairdistill.tracking import check_logger

_LOOK_SECONDS = 1.0  # between two looks at what another process runs


def run_grid(source: str, options: BenchOptions, *, quiet: bool) -> BenchResult:
    """Run the jobs of a grid that are not done; see :func:`fairdistill.bench`."""
    if launched_together() > 1:
        raise UsageError(
            "bench starts its own processes; use --workers or --engine ray instead of torchrun. To spread a single run "
            "over several processes: torchrun ... -m fairdistill train"
        )
    check_logger(options.logger)
    trust_code(*(part for name in options.methods.split(",") for part in parts(name)))
    grid = plan(source, options)
    if options.dry_run:
        return planned(grid, options.workers or 1)
    if options.engine == "local" and any(each.state != "done" for each in standings(grid).values()):
        _find_data(grid)
    with _engine(options, notice=(lambda line: None) if quiet else tell) as (workers, run):
        open_grid(grid.path, source, options.protocol)
        images = cache(lambda: _samples_if_known(grid))  # reads the data, so only once the first job is done
        now = partial(as_it_stands, grid, images, workers)
        if quiet:
            _run_shared(grid, partial(run, grid, report=lambda job, state: None))
        else:
            tell(overview(now()))
            if former := runs_of_former_code(grid):
                tell(former)
            with followed(grid, now) as report:
                _run_shared(grid, partial(run, grid, report=report))
    result = now()
    if result.done:
        result = replace(result, table=bench_table(grid.path))
    if result.left and not quiet:
        tell(f"\n{remainder(result)}")
    return result


def _find_data(grid: Grid) -> None:
    """Raise the error that every job would end with if the data is not there, before anything is written."""
    options = grid.jobs[0].options
    load_splits(options.data, ["test"], root=options.data_root, **options.data_options)


def _run_shared(grid: Grid, run: Callable[[], bool]) -> None:
    """Run a grid; jobs that another process runs are waited for, and taken over if it stops."""
    while not run():
        busy = _running(grid)
        if not busy:
            return
        while _running(grid) == busy:
            time.sleep(_LOOK_SECONDS)


def _running(grid: Grid) -> list[str]:
    return [job.id for job in grid.jobs if standing(job).state == "running"]


@contextmanager
def _engine(options: BenchOptions, notice: Callable[[str], None]) -> Iterator[tuple[int, Callable[..., bool]]]:
    """Give the number of runs at a time, and the function that runs them; ``notice`` hears of lost machines."""
    if options.engine == "local":
        workers = options.workers or 1
        yield workers, partial(run_local, workers=workers)
        return
    from fairdistill.benching.ray.cluster import joined
    from fairdistill.benching.ray.remote import Share, run_on_ray

    cpus, gpus = options.cpus_per_run, options.gpus_per_run
    with joined(options.address, cpus=cpus, gpus=gpus) as room:
        workers = options.workers or room
        share = Share(cpus=cpus, gpus=gpus, workers=workers)
        yield min(workers, room), partial(run_on_ray, share=share, notice=notice)


def _samples_if_known(grid: Grid) -> Samples:
    try:
        return samples(grid.jobs)
    except FairdistillError:  # the data may exist only on the machines of a cluster; each run reports what it lacks
        return {}
