"""Running a grid on this machine, several runs at a time; finished runs are kept and stopped ones resumed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.schedule import Report, TimeIsUp, Work
from fairdistill.system.threads import processors, wait_passively


def run_local(grid: Grid, *, workers: int, report: Report, seconds: float | None = None) -> bool:
    """Run the jobs that are not done, teachers first; a job that fails is recorded and does not stop the others.

    Args:
        grid: the jobs.
        workers: runs at a time, each in its own process with its share of the CPU threads.
        report: called when a job starts, finishes or fails.
        seconds: time limit, after which the active runs are saved and the rest is left for another call; None: no
            limit.

    Returns:
        Whether every job is done.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the active runs have been saved.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    work = Work(grid, report, workers=workers, deadline=deadline)
    threads = max(1, processors() // workers)
    while work.left:
        try:
            with _pool(min(workers, len(work.left)), threads) as pool:

                def submit(job: Job, pool: ProcessPoolExecutor = pool) -> Future[str | None]:
                    report(job, "running")
                    return pool.submit(run_job, job)

                work.off(submit)
            break
        except TimeIsUp:
            break
        except BrokenProcessPool:
            # It is unknown which of the processes was killed, so none of their jobs is tried again in this call.
            for job in list(work.in_hand.values()):
                work.fail(job, "a worker process was killed, perhaps because memory ran out; try fewer --workers")
            work.in_hand.clear()
    return work.complete


@contextmanager
def _pool(workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Give worker processes that save their run and stop on Ctrl-C."""
    wait_passively()
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(threads,)
    )
    try:
        yield pool
    except (KeyboardInterrupt, TimeIsUp):
        for process in multiprocessing.active_children():
            os.kill(int(process.pid or 0), signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    import torch

    from fairdistill.system.memory import keep_freed_memory

    os.setsid()  # so that this process receives Ctrl-C only once, from its parent
    # An active run listens for it and saves; between runs there is nothing to save. SIG_IGN would keep the run from it.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    keep_freed_memory()
    torch.set_num_threads(threads)
