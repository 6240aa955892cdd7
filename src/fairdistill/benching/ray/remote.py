"""Running a grid on a Ray cluster: another worker takes over from a lost one, and every run folder comes back here."""

from __future__ import annotations

import re
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill._version import __version__
from fairdistill.benching.execution import reason
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.ray.cluster import room
from fairdistill.benching.ray.machines import Machine, loss, watched
from fairdistill.benching.ray.transfer import CHECKPOINT, Files, read_files, stamps, write_files
from fairdistill.benching.ray.worker import News, Worker
from fairdistill.benching.schedule import Report, Work
from fairdistill.benching.states import standing
from fairdistill.errors import FairdistillError
from fairdistill.runs import RunFolder

_RETRIES = 3
_LOOK_SECONDS = 5.0  # between two looks at the machines of the cluster
_LOCK_SECONDS = 120.0  # NFS keeps the locks of a dead machine for its lease, 90 seconds by default


@dataclass(frozen=True, kw_only=True)
class Share:
    """What Ray reserves for each run, and how many there are at a time.

    Attributes:
        cpus: CPUs per run, which is also its number of threads.
        gpus: GPUs per run.
        workers: runs at a time; they wait while the cluster has no room for them.
    """

    cpus: float
    gpus: float
    workers: int


def run_on_ray(grid: Grid, share: Share, *, report: Report, notice: Callable[[str], None], every: float = 15.0) -> bool:
    """Run the jobs that are not done on the joined cluster, teachers first; a failed job does not stop the others.

    A worker that can see the grid's folder trains there. Otherwise it is sent what it needs, and what it writes is
    fetched. If a worker is lost, another one resumes its job from the last checkpoint; a job fails if that happens
    four times in a row without a new checkpoint.

    Args:
        grid: the jobs.
        share: what Ray reserves for each run.
        report: called when a job starts, loses its worker, finishes or fails.
        notice: called with one line if a machine of the cluster is lost.
        every: seconds between checks for a new checkpoint to fetch.

    Returns:
        Whether every job is done.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the workers are gone; their last checkpoints are kept.
    """
    import ray

    def lost(machine: Machine, left: Sequence[Machine]) -> None:
        notice(loss(machine, room([each["Resources"] for each in left], share.cpus, share.gpus)))

    work = Work(grid, report, workers=share.workers)
    with (
        _mark(grid.path) as mark,
        watched(ray.nodes, lost, _LOOK_SECONDS),
        ThreadPoolExecutor(share.workers) as threads,
    ):
        crew = _Crew(mark, share, report=report, every=every)
        try:
            work.off(lambda job: threads.submit(crew.run, job))
        finally:
            crew.dismiss()
    return work.complete


@contextmanager
def _mark(folder: Path) -> Iterator[Path]:
    """Give a file by which a worker recognizes this very folder, as opposed to another of the same name."""
    mark = folder / f".bench-{uuid.uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


class _Crew:
    """The workers of a grid, one for each active job."""

    def __init__(self, mark: Path, share: Share, *, report: Report, every: float) -> None:
        import ray

        self._ray = ray
        self._hire: Any = ray.remote(num_cpus=share.cpus, num_gpus=share.gpus)(Worker)
        self._mark, self._report, self._every = mark, report, every
        self._threads = max(1, int(share.cpus))
        self._workers: set[Any] = set()
        self._dismissed = threading.Event()

    def run(self, job: Job) -> str | None:
        """Run a job, with a new worker whenever one is lost; return the error if it failed."""
        from ray.exceptions import RayError, RayTaskError

        lost, tries, before = "", 0, None
        while tries <= _RETRIES:
            if self._dismissed.is_set():
                return "stopped"
            if lost:
                self._report(job, f"lost its worker, continuing with another one ({lost})")
                self._wait_until_free(job)
            now = _checkpoint(job)
            tries, before = 1 if now != before else tries + 1, now
            try:
                return self._run_once(job)
            except RayTaskError as error:  # the worker is alive; another would fail in the same way
                return reason(error.cause)
            except RayError as error:
                if getattr(error, "actor_init_failed", False):
                    return _cannot_begin(error)
                lost = _in_short(error)
            except (FairdistillError, OSError) as error:  # the folder here is in use or cannot be written
                return reason(error)
        return f"lost its worker {1 + _RETRIES} times without a new checkpoint; the last time: {lost}"

    def dismiss(self) -> None:
        """Stop every worker and start no new one."""
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
        """Send what the worker needs, fetch what it writes, and hold the lock of the folder here."""
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
        """Wait, up to a limit, until the run folder of a job whose worker was lost is free."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while standing(job).state == "running" and time.monotonic() < deadline:
            if self._dismissed.wait(1.0):
                return


def _checkpoint(job: Job) -> int | None:
    """Return when the last checkpoint of a job was written here, None without one."""
    path = job.path / CHECKPOINT
    return path.stat().st_mtime_ns if path.exists() else None


def _teacher_files(job: Job) -> Files:
    """Return the files of the teacher's run folder that a student reads."""
    if job.options.teacher is None:
        return {}
    folder = Path(job.options.teacher)
    return read_files(folder, stamps(folder).keys() - {CHECKPOINT})


def _cannot_begin(error: Exception) -> str:
    """Return why a worker could not be started; the next one would fail too."""
    where = re.search(r"\bip=([^,)]+)", str(error))
    return (
        f"cannot start a worker on {where[1] if where else 'a machine'} ({str(error).strip().splitlines()[-1]}); "
        f"install fairdistill {__version__} on every machine of the cluster"
    )


def _in_short(error: Exception) -> str:
    """Return how a worker was lost, without Ray's internal names and its list of possible causes."""
    from ray.exceptions import ActorUnavailableError

    if isinstance(error, ActorUnavailableError):  # what Ray first says of a lost machine, or a broken connection
        return "it does not answer"
    lines = [line for line in str(error).splitlines() if not line.startswith("\t")]
    return textwrap.shorten(" ".join(lines).partition(" Some common causes")[0], 300, placeholder=" ...")
