"""The command ``bench``: run a grid of methods and seeds, resumably."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any

from fairdistill.benching.cost import Samples, samples
from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid
from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.overview import as_it_stands, planned
from fairdistill.benching.plan import plan
from fairdistill.benching.progress import followed
from fairdistill.benching.result import BenchResult
from fairdistill.benching.tables import bench_table
from fairdistill.benching.text import overview, remainder
from fairdistill.contract import with_keywords
from fairdistill.errors import FairdistillError, UsageError
from fairdistill.system.processes import launched_together


def bench(source: str, *, options: BenchOptions | None = None, quiet: bool = False, **keywords: Any) -> BenchResult:
    """Run a grid of methods and seeds on a data set; jobs that are done already are not run again.

    Args:
        source: name of the data set.
        options: see :class:`BenchOptions`.
        quiet: print no progress to standard error.
        **keywords: options by name.

    Returns:
        The jobs with their states, and the table of the finished ones. A job that fails does not stop the others.

    Raises:
        UsageError: for options that do not fit, a cluster that cannot be joined, or a start under torchrun.
        RunFolderError: if the folder holds another grid.

    Example:
        >>> result = bench("digits-s", methods="scratch,ss,mfd", seeds="0-1", out="bench/digits")  # doctest: +SKIP
        >>> result.done, result.failed, result.ok  # doctest: +SKIP
        (6, 0, True)
    """
    options = with_keywords(BenchOptions, options, keywords)
    if launched_together() > 1:
        raise UsageError(
            "bench starts its own processes; use --workers or --engine ray instead of torchrun. To spread a single run "
            "over several processes: torchrun ... -m fairdistill train"
        )
    grid = plan(source, options)
    if options.dry_run:
        return planned(grid, options.workers or 1)
    with _engine(options) as (workers, run):
        open_grid(grid.path, source, options.protocol)
        images = cache(lambda: _samples_if_known(grid))  # reads the data, so only once the first job is done
        now = partial(as_it_stands, grid, images, workers)
        if quiet:
            run(grid, report=lambda job, state: None)
        else:
            print(overview(now()), file=sys.stderr)
            with followed(grid, now) as report:
                run(grid, report=report)
    result = now()
    if result.done:
        result = replace(result, table=bench_table(grid.path))
    if result.left and not quiet:
        print(f"\n{remainder(result)}", file=sys.stderr)
    return result


@contextmanager
def _engine(options: BenchOptions) -> Iterator[tuple[int, Callable[..., bool]]]:
    """Give the number of runs at a time, and the function that runs them."""
    if options.engine == "local":
        workers = options.workers or 1
        yield workers, partial(run_local, workers=workers)
        return
    from fairdistill.benching.ray.cluster import joined
    from fairdistill.benching.ray.remote import run_on_ray

    cpus, gpus = options.cpus_per_run, options.gpus_per_run
    with joined(options.address, cpus=cpus, gpus=gpus) as room:
        workers = options.workers or room
        yield min(workers, room), partial(run_on_ray, cpus=cpus, gpus=gpus, workers=workers)


def _samples_if_known(grid: Grid) -> Samples:
    try:
        return samples(grid.jobs)
    except FairdistillError:  # the data may exist only on the machines of a cluster; each run reports what it lacks
        return {}
