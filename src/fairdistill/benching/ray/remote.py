"""Running a grid on a Ray cluster: a lost worker's job goes on with another, and every run folder comes home."""

from __future__ import annotations

import re
import textwrap
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from fairdistill._version import __version__
from fairdistill.benching.execution import reason
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.ray.transfer import CHECKPOINT, Files, read_files, stamps, write_files
from fairdistill.benching.ray.worker import News, Worker
from fairdistill.benching.schedule import Report, Work
from fairdistill.benching.states import standing
from fairdistill.errors import FairdistillError
from fairdistill.runs import RunFolder

_RETRIES = 3
_LOCK_SECONDS = 120.0  # NFS keeps a dead machine's locks for its lease, 90 seconds by default


def run_on_ray(grid: Grid, *, cpus: float, gpus: float, workers: int, report: Report, every: float = 15.0) -> bool:
    """Run what is not done yet on the cluster that was joined, teachers first; a job that fails stops no other.

    A worker that sees the grid's folder trains there. One that does not is given what it needs, and what it writes is
    fetched. A job whose worker is lost goes on, from its last checkpoint, with another one, three times.

    Args:
        grid: the jobs.
        cpus: processors of a run, and its threads.
        gpus: GPUs of a run.
        workers: runs at a time; those that there is no room for wait until there is.
        report: told of every job that begins, loses its worker, is done or fails.
        every: seconds between two looks for a new checkpoint to fetch.

    Returns:
        Whether every job is done.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when the workers are gone; their last checkpoints stay.
    """
    work = Work(grid, report, workers=workers)
    with _mark(grid.path) as mark, ThreadPoolExecutor(workers) as threads:
        crew = _Crew(mark, cpus=cpus, gpus=gpus, report=report, every=every)
        try:
            work.off(lambda job: threads.submit(crew.run, job))
        finally:
            crew.dismiss()
    return work.complete


@contextmanager
def _mark(folder: Path) -> Iterator[Path]:
    """Give a file by which a worker knows that it sees this very folder, and not one of the same name."""
    mark = folder / f".bench-{uuid.uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


class _Crew:
    """The workers of a grid, one for each job in hand."""

    def __init__(self, mark: Path, *, cpus: float, gpus: float, report: Report, every: float) -> None:
        import ray

        self._ray = ray
        self._hire: Any = ray.remote(num_cpus=cpus, num_gpus=gpus)(Worker)
        self._mark, self._report, self._every = mark, report, every
        self._threads = max(1, int(cpus))
        self._workers: set[Any] = set()
        self._dismissed = threading.Event()

    def run(self, job: Job) -> str | None:
        """Do a job, with another worker whenever one is lost; return the error of one that failed."""
        from ray.exceptions import RayError, RayTaskError

        lost = ""
        for _ in range(1 + _RETRIES):
            if self._dismissed.is_set():
                return "stopped"
            if lost:
                self._report(job, f"lost its worker, goes on with another ({lost})")
                self._wait_until_free(job)
            try:
                return self._run_once(job)
            except RayTaskError as error:  # the worker lives; another would do no better
                return reason(error.cause)
            except RayError as error:
                if getattr(error, "actor_init_failed", False):
                    return _cannot_begin(error)
                lost = _in_short(error)
            except (FairdistillError, OSError) as error:  # the folder here is in use, or cannot be written
                return reason(error)
        return f"lost its worker {1 + _RETRIES} times; the last time: {lost}"

    def dismiss(self) -> None:
        """End every worker, and let no other begin."""
        self._dismissed.set()
        for worker in list(self._workers):
            self._ray.kill(worker)

    def _run_once(self, job: Job) -> str | None:
        get, worker = self._ray.get, self._hire.remote()
        self._workers.add(worker)
        try:
            if self._dismissed.is_set():  # meanwhile
                return "stopped"
            where, shared = get(worker.meet.remote(__version__, str(self._mark)))
            self._report(job, f"running on {where}")
            return self._train_shared(worker, job) if shared else self._train_apart(worker, job)
        finally:
            self._ray.kill(worker)
            self._workers.discard(worker)

    def _train_shared(self, worker: Any, job: Job) -> str | None:
        self._ray.get(worker.begin.remote(job, threads=self._threads))
        news: News = self._ray.get(worker.news.remote(self._every))
        return news.error

    def _train_apart(self, worker: Any, job: Job) -> str | None:
        """Send what the worker needs, fetch what it writes; hold the folder here, where nobody else does."""
        get = self._ray.get
        with ExitStack() as held:
            here: Files = {}
            if (job.path / "config.yaml").exists():
                held.enter_context(RunFolder(job.path).lock())
                here = read_files(job.path, stamps(job.path))
            get(worker.begin_apart.remote(job, threads=self._threads, files=here, teacher=_teacher_files(job)))
            while True:
                news: News = get(worker.news.remote(self._every))
                if news.files:
                    write_files(job, news.files)
                if news.ended:
                    return news.error
                if not here:
                    held.enter_context(RunFolder(job.path).lock())
                    here = news.files

    def _wait_until_free(self, job: Job) -> None:
        """Wait, but not for ever, until nobody holds the run folder of a job whose worker was lost."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while standing(job).state == "running" and time.monotonic() < deadline:
            if self._dismissed.wait(1.0):
                return


def _teacher_files(job: Job) -> Files:
    """Return what a student reads of its teacher's run folder."""
    if job.options.teacher is None:
        return {}
    folder = Path(job.options.teacher)
    return read_files(folder, stamps(folder).keys() - {CHECKPOINT})


def _cannot_begin(error: Exception) -> str:
    """Return why a worker could not even be made, which is so for the next one too."""
    where = re.search(r"\bip=([^,)]+)", str(error))
    return (
        f"a worker cannot begin on {where[1] if where else 'a machine'} ({str(error).strip().splitlines()[-1]}); "
        f"install fairdistill {__version__} on every machine of the cluster"
    )


def _in_short(error: Exception) -> str:
    """Return what became of a worker, without Ray's names for it and its list of what may have been the cause."""
    lines = [line for line in str(error).splitlines() if not line.startswith("\t")]
    return textwrap.shorten(" ".join(lines).partition(" Some common causes")[0], 300, placeholder=" ...")
