"""The process of a Ray cluster that trains one job and reports on it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from fairdistill._version import __version__
from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Job
from fairdistill.benching.ray.transfer import CHECKPOINT, RESULT, Files, Stamp, read_files, stamps, write_files
from fairdistill.errors import UsageError


@dataclass(frozen=True)
class News:
    """The progress of a job.

    Attributes:
        files: new or changed files of the run folder; none if the storage is shared.
        ended: whether the job has ended.
        error: the error of a failed job.
    """

    files: Files
    ended: bool
    error: str | None = None


class Worker:
    """Trains one job, in the grid's own folder if it is visible here, else in a temporary one."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._scratch: Path | None = None
        self._sent: dict[str, Stamp] = {}
        self._error: str | None = None
        self._training = threading.Thread(target=self._train, daemon=True)

    def meet(self, version: str, mark: str) -> tuple[str, bool]:
        """Return which process this is, and whether the storage is shared: whether a file of the grid is visible here.

        Raises:
            UsageError: if another version of fairdistill is installed here.
        """
        where = f"{socket.gethostname()}, process {os.getpid()}"
        if version != __version__:
            raise UsageError(
                f"fairdistill {__version__} is installed on {socket.gethostname()}, but bench was started with "
                f"{version}; install the same version on every machine of the cluster"
            )
        return where, os.access(Path(mark).parent, os.W_OK) and Path(mark).exists()

    def begin(self, job: Job, *, threads: int) -> None:
        """Start or resume a job in its own folder."""
        self._job = job.given(threads=threads)
        self._training.start()

    def begin_apart(self, job: Job, *, threads: int, files: Files, teacher: Files) -> None:
        """Start or resume a job in a temporary folder of this machine.

        Args:
            job: the job, with its folders on the machine where it was planned.
            threads: number of threads of the run.
            files: its run folder so far.
            teacher: its teacher's run folder.
        """
        self._scratch = Path(tempfile.mkdtemp(prefix="fairdistill-"))
        job = job.moved(self._scratch)
        if files:
            write_files(job, files)
            self._sent = stamps(job.path)
        for name, content in teacher.items():
            path = Path(str(job.options.teacher)) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.begin(job, threads=threads)

    def news(self, every: float) -> News:
        """Wait until the job has ended or there is a new checkpoint to fetch, and report on it.

        Args:
            every: seconds between checks for a new checkpoint.
        """
        assert self._job is not None
        if self._scratch is None:
            self._training.join()
            return News({}, True, self._error)
        while True:
            self._training.join(every)
            ended = not self._training.is_alive()
            now = stamps(self._job.path)
            changed = {name for name, stamp in now.items() if self._sent.get(name) != stamp}
            if ended or changed & {"config.yaml", CHECKPOINT}:
                break
        if not ended:
            changed.discard(RESULT)  # written when the run ends: sent along with what is written before it
        files = read_files(self._job.path, changed)
        self._sent |= {name: now[name] for name in changed}
        if ended:
            shutil.rmtree(self._scratch, ignore_errors=True)
        return News(files, ended, self._error)

    def _train(self) -> None:
        from fairdistill.system.memory import keep_freed_memory

        assert self._job is not None
        keep_freed_memory()
        self._error = run_job(self._job)
