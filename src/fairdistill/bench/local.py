"""Running a grid on this machine, several runs at a time; what is done stays done, and what stopped goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from fairdistill.bench.plan import Grid, Job
from fairdistill.bench.states import forget_failure, record_failure, standing
from fairdistill.errors import FairdistillError

Report = Callable[[Job, str], None]
"""Called with a job and what has just become of it."""


def run_local(grid: Grid, *, workers: int, report: Report) -> bool:
    """Run what is not done yet, teachers first; a job that fails is recorded, and the others go on.

    Args:
        grid: the jobs.
        workers: runs at a time, each in a process of its own with its share of the processor's threads.
        report: told of every job that begins, is done or fails.

    Returns:
        Whether every job is done.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when the runs in hand have been saved.
    """
    left = [job for job in grid.jobs if standing(job).state not in ("done", "running")]
    for job in left:
        forget_failure(job)
    by_id = {job.id: job for job in grid.jobs}
    done = {job.id for job in grid.jobs if standing(job).state == "done"}
    failed: set[str] = set()
    threads = max(1, _processors() // workers)
    while left:
        try:
            with _pool(min(workers, len(left)), threads) as pool:
                _work_off(pool, left, by_id, done, failed, workers, report)
        except BrokenProcessPool:
            # A worker was killed, as for want of memory: nobody knows which job it was, so those in hand go on alone.
            for job in [job for job in left if standing(job).state == "stopped"][:workers]:
                left.remove(job)
                _fail(
                    job,
                    "its process was killed, perhaps for want of memory; run again with fewer --workers",
                    failed,
                    report,
                )
    return all(standing(job).state == "done" for job in grid.jobs)


def _work_off(
    pool: ProcessPoolExecutor,
    left: list[Job],
    by_id: dict[str, Job],
    done: set[str],
    failed: set[str],
    workers: int,
    report: Report,
) -> None:
    """Hand out jobs whose teachers are done until none is left; ``left`` shrinks as they end."""
    in_hand: dict[Future[str | None], Job] = {}
    while left:
        for job in [job for job in left if job.teacher in failed]:
            left.remove(job)
            _fail(job, f"its teacher {by_id[str(job.teacher)].path.name} failed", failed, report)
        ready = [job for job in left if job not in in_hand.values() and (job.teacher is None or job.teacher in done)]
        for job in ready[: workers - len(in_hand)]:
            report(job, "running")
            in_hand[pool.submit(_run, job)] = job
        if not in_hand:
            return  # what is left waits for a teacher that another process is training
        for future in wait(in_hand, return_when=FIRST_COMPLETED).done:
            error = future.result()
            job = in_hand.pop(future)
            left.remove(job)
            if error is None:
                done.add(job.id)
                report(job, "done")
            else:
                _fail(job, error, failed, report)


def _fail(job: Job, error: str, failed: set[str], report: Report) -> None:
    failed.add(job.id)
    record_failure(job, error)
    report(job, "failed")


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
    except KeyboardInterrupt:
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
