"""The order in which the jobs of a grid are run, on any engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait

from fairdistill.benching.execution import TAKEN
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.states import forget_failure, record_failure, standing

Report = Callable[[Job, str], None]
"""Called with a job and its new state."""

Submit = Callable[[Job], "Future[str | None]"]
"""Starts a job; once the job has ended, its future holds the error, or None if it succeeded."""


class TimeIsUp(Exception):  # noqa: N818  # reaching a limit that was asked for is not an error
    """The time limit is reached; the remaining jobs are left for another call."""


class Work:
    """The remaining and the active jobs of a grid.

    Args:
        grid: the jobs.
        report: called when a job finishes or fails.
        workers: maximum number of active jobs.
        deadline: time of the monotonic clock at which to stop waiting; None: no limit.

    Attributes:
        left: jobs that are neither done nor failed nor run by another process.
        in_hand: those that are active.
    """

    def __init__(self, grid: Grid, report: Report, *, workers: int, deadline: float | None = None) -> None:
        self._grid, self._report, self._workers, self._deadline = grid, report, workers, deadline
        self._by_id = {job.id: job for job in grid.jobs}
        states = {job.id: standing(job).state for job in grid.jobs}
        self._done = {id_ for id_, state in states.items() if state == "done"}
        self._failed: set[str] = set()
        self.left = [job for job in grid.jobs if states[job.id] not in ("done", "running")]
        self.in_hand: dict[Future[str | None], Job] = {}
        for job in self.left:
            forget_failure(job)

    @property
    def complete(self) -> bool:
        """Whether every job of the grid is done."""
        return all(standing(job).state == "done" for job in self._grid.jobs)

    def off(self, submit: Submit) -> None:
        """Start jobs whose teachers are done, until none is left or the rest waits for another process's teacher.

        Raises:
            TimeIsUp: at the deadline, if jobs are still active.
        """
        while self.left:
            for job in [job for job in self.left if job.teacher in self._failed]:
                self.fail(job, f"its teacher {self._by_id[str(job.teacher)].path.name} failed")
            busy = {job.id for job in self.in_hand.values()}
            ready = [
                job for job in self.left if job.id not in busy and (job.teacher is None or job.teacher in self._done)
            ]
            for job in ready[: self._workers - len(self.in_hand)]:
                self.in_hand[submit(job)] = job
            if not self.in_hand:
                return
            self._wait()

    def fail(self, job: Job, error: str) -> None:
        """Record that a job failed."""
        self.left.remove(job)
        self._failed.add(job.id)
        record_failure(job, error)
        self._report(job, "failed")

    def _wait(self) -> None:
        timeout = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        ended = wait(self.in_hand, timeout=timeout, return_when=FIRST_COMPLETED).done
        if not ended:
            raise TimeIsUp
        for future in ended:
            error, job = future.result(), self.in_hand.pop(future)
            state = standing(job).state
            if state == "running":  # another process runs the same grid and took this job first
                self.left.remove(job)
            elif state == "done":
                self.left.remove(job)
                self._done.add(job.id)
                self._report(job, "done")
            elif error == TAKEN:  # and has failed or been stopped there in the meantime
                self.left.remove(job)
            else:
                self.fail(job, error or "it ended without a result")
