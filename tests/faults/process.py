"""A command in a process of its own, which is forked so that PyTorch need not be loaded again, and perhaps killed."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 300.0
"""Seconds after which a command counts as hanging; a busy machine may need many."""
_CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "sqlite3.connect"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Kill:
    """When a process is killed with ``kill -9``.

    Attributes:
        event: before the change of this number that it makes to files below its folder, counted from 1.
        seconds: or so many seconds after its start.
    """

    event: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return f"before change {self.event}" if self.event is not None else f"after {self.seconds:.2f} s"


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: its exit code, negative for the signal that ended it.
        seconds: how long it ran.
        events: how many changes to files it made.
        stderr: what it printed there.
        stdout: and there.
        memory: bytes that it took beyond those of the process it was forked from.
    """

    code: int
    seconds: float
    events: int
    stderr: str
    stdout: str = ""
    memory: int = 0

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Command:
    """A command of fairdistill that runs in a folder.

    Args:
        arguments: of the command line.
        folder: where it runs.
        setup: called in the process before the command.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, *, setup: Callable[[], None] | None = None) -> None:
        self._arguments, self._folder, self._setup = list(arguments), folder, setup

    def start(self, kill: Kill | None = None) -> Running:
        """Start it; with ``kill.event`` it kills itself."""
        read, write = os.pipe()
        shown = self._folder.with_suffix(f".{time.monotonic_ns()}")
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            os.close(read)
            code = 99
            try:
                code = self._run(write, shown, None if kill is None else kill.event)
            finally:
                os._exit(code)
        os.close(write)
        return Running(child, read, shown)

    def run(self, kill: Kill | None = None) -> Ended:
        """Run it to its end, or until it is killed."""
        running = self.start(kill)
        return running.wait(None if kill is None else kill.seconds)

    def _run(self, write: int, shown: Path, kill_at: int | None) -> int:
        from fairdistill.cli.main import main

        os.setsid()
        os.chdir(self._folder)
        for number, suffix in ((1, ".stdout"), (2, ".stderr")):
            os.dup2(os.open(f"{shown}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        if self._setup is not None:
            self._setup()
        count_changes(self._folder, write, kill_at)
        code = main(self._arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return code


class Running:
    """A process that was started."""

    def __init__(self, child: int, events: int, shown: Path) -> None:
        self.child = child
        self._events, self._shown = events, shown
        self._started = time.monotonic()

    def wait(self, kill_after: float | None = None) -> Ended:
        """Wait for its end; kill it after so many seconds, or if it hangs."""
        before = memory_of("self", "VmRSS")
        status = most = 0
        limit = self._started + (PATIENCE if kill_after is None else kill_after)
        while True:
            ended, status = os.waitpid(self.child, os.WNOHANG)
            if ended:
                break
            most = max(most, memory_of(str(self.child), "VmHWM"))
            if time.monotonic() > limit:
                os.kill(self.child, signal.SIGKILL)
                _, status = os.waitpid(self.child, 0)
                break
            time.sleep(0.002)
        seconds = time.monotonic() - self._started
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if kill_after is None and seconds >= PATIENCE:
            code = -signal.SIGALRM  # it hung
        os.set_blocking(self._events, False)
        events = 0
        while True:
            try:
                content = os.read(self._events, 1 << 16)
            except BlockingIOError:  # a worker of it still lives
                break
            if not content:
                break
            events += len(content)
        os.close(self._events)
        stdout, stderr = (_taken(Path(f"{self._shown}{suffix}")) for suffix in (".stdout", ".stderr"))
        return Ended(code, seconds, events, stderr, stdout, max(0, most - before))


def _taken(path: Path) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


def memory_of(process: str, what: str) -> int:
    """Return how many bytes a process takes now (VmRSS) or took at most (VmHWM); 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:")), 0)


def count_changes(folder: Path, write: int, kill_at: int | None) -> None:
    """Write one byte for each change to files below a folder, and kill this process before the given one."""
    below, own, counted = f"{folder}{os.sep}", os.getpid(), 0

    def count() -> None:
        nonlocal counted
        if os.getpid() != own:
            return
        counted += 1
        if counted == kill_at:
            os.kill(own, signal.SIGKILL)
        os.write(write, b".")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, str | os.PathLike) or not flags & _WRITING:
                return
        elif event in _CHANGING:
            path = arguments[0]
        else:
            return
        try:
            full = os.path.abspath(os.fspath(path))
        except (TypeError, ValueError):
            return
        if isinstance(full, str) and full.startswith(below) and not full.endswith((".lock", "/lock")):
            count()

    real = os.fsync

    def fsync(descriptor: int) -> None:
        count()
        real(descriptor)

    os.fsync = fsync  # type: ignore[assignment]  # which has no event
    sys.addaudithook(hook)


def limited_files(size: int) -> Callable[[], None]:
    """Return a setup that lets files grow no larger than this."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def processes_in(folder: Path) -> list[int]:
    """Return the processes that run in a folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal() and int(each.name) != os.getpid():
            try:
                where = os.readlink(each / "cwd")
                state = (each / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if where == str(folder) and state != "Z":
                found.append(int(each.name))
    return found
