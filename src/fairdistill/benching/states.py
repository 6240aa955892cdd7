"""The state of a job, read from its run folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fairdistill.benching.folder import told_how_to_repeat
from fairdistill.benching.jobs import Grid, Job
from fairdistill.errors import RunFolderError
from fairdistill.runs import RunFolder, read_json, write_json
from fairdistill.text.numbers import percent

State = Literal["done", "running", "failed", "stopped", "not started"]


@dataclass(frozen=True)
class Standing:
    """A job and its state.

    Attributes:
        state: ``stopped`` means that the run started and is not running now; it can be resumed.
        detail: accuracy and DEO of a finished job, the step of an unfinished one, the error of a failed one.
        seconds: time a finished job spent in training steps.
    """

    state: State
    detail: str = ""
    seconds: float = 0.0


NOT_STARTED = Standing("not started")


def standings(grid: Grid) -> dict[str, Standing]:
    """Return the state of each job by its id; those without any file in the grid's folder have not started."""
    there = set(os.listdir(grid.path)) if grid.path.is_dir() else set()
    return {
        job.id: standing(job) if there and not there.isdisjoint(path.name for path in _traces(job)) else NOT_STARTED
        for job in grid.jobs
    }


def standing(job: Job) -> Standing:
    """Return the state of a job.

    Raises:
        RunFolderError: if its run folder is damaged; the message says how to train it again.
    """
    with told_how_to_repeat(job.path):
        return _standing(job)


def _standing(job: Job) -> Standing:
    failure = _failure(job)
    if not (job.path / "config.yaml").exists():
        if failure.exists():
            return Standing("failed", str(read_json(failure)["error"]))
        if (job.path / "result.json").exists():
            raise RunFolderError(f"{job.path} has a result.json but no config.yaml")
        return Standing("running" if _taken(job) else "not started")
    run = RunFolder.open(job.path)
    if run.finished:
        result = run.result
        shown = "  ".join(
            f"{name} {percent(result[key], 2)}"
            for key, name in (("accuracy", "accuracy"), ("deo_a", "DEO_A"), ("deo_m", "DEO_M"))
        )
        mark = "  one class only" if result["collapsed"] else ""
        return Standing("done", shown + mark, float(result["seconds"]))
    try:
        log = run.read_log()
    except RunFolderError:  # a row is being written
        log = []
    step = f"step {log[-1]['step']:,}" if log else ""
    if _taken(job) or _is_held(run):
        return Standing("running", step)
    if failure.exists():
        return Standing("failed", str(read_json(failure)["error"]))
    return Standing("stopped", step)


def record_failure(job: Job, error: str) -> None:
    """Record why a job failed."""
    write_json(_failure(job), {"error": error, "options": {"row": job.row, "seed": job.seed, "id": job.id}})


def forget_failure(job: Job) -> None:
    """Remove the record of a failure before the job is tried again."""
    _failure(job).unlink(missing_ok=True)


def _traces(job: Job) -> tuple[Path, ...]:
    """Return what is in the grid's folder of a job that has begun."""
    return job.path, job.lock_path, _failure(job)


def _failure(job: Job) -> Path:
    return job.path.with_name(f"{job.path.name}.failed.json")


def _taken(job: Job) -> bool:
    """Return whether a process runs the job, from before its run folder exists."""
    if not job.lock_path.exists():
        return False
    with job.held() as free:
        return not free


def _is_held(run: RunFolder) -> bool:
    try:
        with run.lock(seconds=0.0):
            return False
    except RunFolderError:
        return True
