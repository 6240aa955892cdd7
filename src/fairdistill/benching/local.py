"""Running a grid on this machine, several runs at a time; finished runs are kept and stopped ones resumed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import wait

from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.schedule import Report, TimeIsUp, Work
from fairdistill.system.signals import StopSignal
from fairdistill.system.threads import processors, wait_passively

_SAVING_SECONDS = 60  # that an active run has to save itself once its parent process is gone


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
                    return pool.submit(partial(run_alone, run_job), job)

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
    others = multiprocessing.active_children()  # of the caller
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(threads,)
    )
    try:
        yield pool
    except (KeyboardInterrupt, TimeIsUp):
        for process in set(multiprocessing.active_children()).difference(others):
            with suppress(ProcessLookupError):
                os.kill(int(process.pid or 0), signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    import torch

    from fairdistill.system.memory import keep_freed_memory

    os.setsid()  # so that this process receives Ctrl-C only once, from its parent
    signal.signal(signal.SIGINT, _stop_the_run)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    keep_freed_memory()
    torch.set_num_threads(threads)


_running = threading.Lock()


def run_alone(run: Callable[[Job], str | None], job: Job) -> str | None:
    """Run a job in a worker process, so that a signal or the end of the parent can stop it."""
    with _running:
        return run(job)


def _stop_the_run(number: int, _frame: object) -> None:
    """End the preparation or evaluation of a run; between runs nothing. In training steps the run itself listens."""
    if _running.locked():
        raise StopSignal(number)


def _end_with_the_parent() -> None:
    """Wait until the parent process is gone, however it ended; then save the active run and end, too."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGINT)
    _running.acquire(timeout=_SAVING_SECONDS)
    os._exit(1)
