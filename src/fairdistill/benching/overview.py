"""A grid as it stands now, or as a dry run plans it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fairdistill.benching.cost import Samples, samples, seconds_by_trial, seconds_left
from fairdistill.benching.jobs import Grid
from fairdistill.benching.result import BenchResult, JobState
from fairdistill.benching.states import standings
from fairdistill.errors import FairdistillError
from fairdistill.system.threads import processors


def as_it_stands(grid: Grid, images: Callable[[], Samples], workers: int) -> BenchResult:
    """Return every job with its state, and how long the remaining ones may take.

    Args:
        grid: the jobs.
        images: returns the images that each job will see; called if some jobs are done and others are not.
        workers: jobs at a time.
    """
    found = standings(grid)
    states = {each.state for each in found.values()}
    some_done = "done" in states and len(states) > 1
    return BenchResult(
        path=str(grid.path),
        dry_run=False,
        workers=workers,
        jobs=tuple(
            JobState(name=job.path.name, id=job.id, method=job.row, seed=job.seed, state=each.state, detail=each.detail)
            for job, each in zip(grid.jobs, found.values(), strict=True)
        ),
        seconds_left=seconds_left(found, images(), workers=workers) if some_done else None,
    )


def planned(grid: Grid, workers: int) -> BenchResult:
    """Return what a dry run says: the jobs, the images they will see, and a time from a few steps if none is done."""
    try:
        images = samples(grid.jobs)
    except FairdistillError as error:
        return replace(as_it_stands(grid, dict, workers), dry_run=True, not_counted=str(error))
    result = replace(as_it_stands(grid, lambda: images, workers), dry_run=True, training_images=sum(images.values()))
    untaught = next((job for job in grid.jobs if job.teacher is None), None)
    if untaught is None or result.done:
        return result
    seconds = seconds_by_trial(untaught, images, workers=workers, threads=max(1, processors() // workers))
    return replace(result, seconds_by_trial=seconds)
