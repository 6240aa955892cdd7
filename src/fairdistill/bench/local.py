"""Running a grid on this machine, several runs at a time; what is done stays done, and what stopped goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from fairdistill.bench.plan import Grid, Job
from fairdistill.bench.states import forget_failure, record_failure, standing
from fairdistill.errors import FairdistillError

Report = Callable[[Job, str], None]
"""Called with a job and what has just become of it."""


class _TimeIsUp(Exception):  # noqa: N818  # what was asked for is no error
    pass


def run_local(grid: Grid, *, workers: int, report: Report, seconds: float | None = None) -> bool:
    """Run what is not done yet, teachers first; a job that fails is recorded, and the others go on.

    Args:
        grid: the jobs.
        workers: runs at a time, each in a process of its own with its share of the processor's threads.
        report: told of every job that begins, is done or fails.
        seconds: after so many the runs in hand are saved and the rest is left for another time; None: no limit.

    Returns:
        Whether every job is done.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when the runs in hand have been saved.
    """
    work = _Work(grid, workers, report, None if seconds is None else time.monotonic() + seconds)
    threads = max(1, _processors() // workers)
    while work.left:
        try:
            with _pool(min(workers, len(work.left)), threads) as pool:
                work.off(pool)
            break
        except _TimeIsUp:
            break
        except BrokenProcessPool:
            # Nobody knows which of the processes was killed, so none of their jobs is tried again now.
            for job in list(work.in_hand.values()):
                work.fail(job, "a process was killed, perhaps for want of memory; run again with fewer --workers")
            work.in_hand.clear()
    return all(standing(job).state == "done" for job in grid.jobs)


class _Work:
    """What is left of a grid, and what is being done.

    Attributes:
        left: jobs that are neither done nor failed nor another process's.
        in_hand: those that a process is at.
    """

    def __init__(self, grid: Grid, workers: int, report: Report, deadline: float | None) -> None:
        self._by_id = {job.id: job for job in grid.jobs}
        self._workers, self._report, self._deadline = workers, report, deadline
        states = {job.id: standing(job).state for job in grid.jobs}
        self._done = {id_ for id_, state in states.items() if state == "done"}
        self._failed: set[str] = set()
        self.left = [job for job in grid.jobs if states[job.id] not in ("done", "running")]
        self.in_hand: dict[Future[str | None], Job] = {}
        for job in self.left:
            forget_failure(job)

    def off(self, pool: ProcessPoolExecutor) -> None:
        """Hand out jobs whose teachers are done, until none is left or the rest waits for another process's teacher."""
        while self.left:
            for job in [job for job in self.left if job.teacher in self._failed]:
                self.fail(job, f"its teacher {self._by_id[str(job.teacher)].path.name} failed")
            busy = {job.id for job in self.in_hand.values()}
            ready = [
                job for job in self.left if job.id not in busy and (job.teacher is None or job.teacher in self._done)
            ]
            for job in ready[: self._workers - len(self.in_hand)]:
                self._report(job, "running")
                self.in_hand[pool.submit(_run, job)] = job
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
            raise _TimeIsUp
        for future in ended:
            error, job = future.result(), self.in_hand.pop(future)
            state = standing(job).state
            if state == "running":  # the same grid is run by another process too, which was sooner
                self.left.remove(job)
            elif state == "done":
                self.left.remove(job)
                self._done.add(job.id)
                self._report(job, "done")
            else:
                self.fail(job, error or "it ended without a result")


@contextmanager
def _pool(workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes that stop with the run saved when Ctrl-C comes."""
    # Threads of several runs that spin while they wait for each other take the time of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(threads,)
    )
    try:
        yield pool
    except (KeyboardInterrupt, _TimeIsUp):
        for process in multiprocessing.active_children():
            os.kill(int(process.pid or 0), signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    import torch

    from fairdistill.allocator import keep_freed_memory

    os.setsid()  # so that Ctrl-C reaches this process once, from its parent
    # A run in hand listens and saves; between runs there is nothing to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    torch.set_num_threads(threads)


def _run(job: Job) -> str | None:
    """Train a job, or go on with it; return the error of one that failed."""
    from fairdistill.training import resume, train

    try:
        if (job.path / "config.yaml").exists():
            resume(job.path, quiet=True)
        else:
            train(job.options, quiet=True)
    except FairdistillError as error:
        return str(error)
    except Exception as error:  # a failure of one run is no reason to lose the others
        print(f"fairdistill: {job.path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        return f"{type(error).__name__}: {error}"
    return None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
