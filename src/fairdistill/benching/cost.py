"""The cost of a grid: the images that each run will see, and the time that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairdistill import methods
from fairdistill.benching.jobs import Job
from fairdistill.benching.states import Standing
from fairdistill.data import GroupedDataset
from fairdistill.training import build_sampler, load_data, plan_stages, resolve, seconds_of

Samples = Mapping[str, int]
"""Training images that each job will see, by its id; empty if the data is not available here."""


def samples(jobs: Sequence[Job]) -> Samples:
    """Return how many training images each job will see, counting repeats.

    Raises:
        UsageError: for options that do not fit the data.
        DataError: for data that is missing or corrupt.
    """
    # A seed decides which images a run sees, not how many: that depends on the method and its budget.
    of_job = {job.id: (job.row, job.recipe.epochs, job.recipe.steps) for job in jobs}
    found: dict[tuple[str, int | None, int | None], int] = {}
    train: GroupedDataset | None = None
    for job in jobs:
        if of_job[job.id] in found:
            continue
        options = resolve(job.options)
        train = train or load_data(options, None).train
        method = methods.parse(options.method, data=options.data, settings=options.set)
        sampler = build_sampler(method, options, train)
        stages = plan_stages(method, options, rows=len(train), sampler=sampler)
        found[of_job[job.id]] = stages[-1].stop * sampler.batch_size
    return {id_: found[own] for id_, own in of_job.items()}


def seconds_left(standings: Mapping[str, Standing], of: Samples, *, workers: int) -> float | None:
    """Estimate how long the remaining jobs take at the pace of the finished ones; None if that is not known."""
    done = [id_ for id_, each in standings.items() if each.state == "done"]
    if not done or not of:
        return None
    pace = sum(standings[id_].seconds for id_ in done) / sum(of[id_] for id_ in done)
    return pace * sum(of[id_] for id_ in standings if id_ not in done) / workers


def seconds_by_trial(job: Job, of: Samples, *, workers: int, threads: int) -> float:
    """Estimate how long all jobs take at the pace of a few steps of this one, which needs no teacher."""
    assert job.teacher is None
    return seconds_of(job.given(threads=threads).options) / of[job.id] * sum(of.values()) / workers
