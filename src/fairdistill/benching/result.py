"""The state of a grid, as typed values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fairdistill.benching.states import State
from fairdistill.benching.tables import TableResult
from fairdistill.contract import Result


@dataclass(frozen=True, kw_only=True)
class JobState(Result):
    """One job of a grid and its state.

    Attributes:
        name: name of its run folder.
        id: hash of what it computes.
        method: canonical name of the method.
        seed: seed of the run.
        state: done, running, failed, stopped (it began and is not running now) or not started.
        detail: the metrics of a finished run, the step of one that has begun, the error of one that failed.
    """

    name: str
    id: str
    method: str
    seed: int
    state: State
    detail: str


@dataclass(frozen=True, kw_only=True)
class BenchResult(Result):
    """A grid: its jobs and, once some are done, its table.

    Attributes:
        path: folder of the grid.
        dry_run: whether nothing was run.
        workers: number of runs at a time.
        jobs: every job, teachers before their students.
        training_images: images that all runs will see in total; None unless they were counted for a dry run.
        not_counted: why the images could not be counted, None if they were counted or if that was not requested.
        seconds_left: how long the remaining jobs may take, None if that is not known.
        seconds_by_trial: how long all jobs may take, judging by a few steps of the first one; None without that trial.
        table: the finished runs next to the published numbers; None if no run is finished, or for a dry run.
    """

    path: str
    dry_run: bool
    workers: int
    jobs: tuple[JobState, ...]
    training_images: int | None = None
    not_counted: str | None = None
    seconds_left: float | None = None
    seconds_by_trial: float | None = None
    table: TableResult | None = None

    @property
    def counts(self) -> dict[State, int]:
        """Number of jobs in each state that occurs."""
        return dict(Counter(job.state for job in self.jobs))

    @property
    def done(self) -> int:
        """Number of finished jobs."""
        return self.counts.get("done", 0)

    @property
    def failed(self) -> int:
        """Number of failed jobs."""
        return self.counts.get("failed", 0)

    @property
    def left(self) -> int:
        """Number of jobs that are not finished; failed ones are among them, since the same call tries them again."""
        return len(self.jobs) - self.done

    @property
    def ok(self) -> bool:
        """Whether every job is finished, or there was only a dry run."""
        return self.dry_run or not self.left

    @property
    def exit_code(self) -> int:
        """0 if every job is finished or there was only a dry run, else 4."""
        return 0 if self.ok else 4
