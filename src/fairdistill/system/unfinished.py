"""Files and folders that are being written, under a name of their own.

Their writer holds a lock on each, which the system releases when it ends, however that is. So the next writer can tell
what a killed one left behind, and remove it.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_OWN = r"\.\d+-\d+\.part"


def own_name(name: str) -> str:
    """Return the name of an unfinished file or folder of this thread."""
    return f"{name}.{os.getpid()}-{threading.get_ident()}.part"


def opened(part: Path) -> IO[bytes]:
    """Open a file to write, locked until the returned file is closed."""
    while True:
        file = part.open("wb")
        _lock(file.fileno(), wait=True)
        if _is(part, file.fileno()):
            return file
        file.close()  # taken for one that was left behind, in the moment before it was locked


def made(part: Path) -> int | None:
    """Make a folder, locked until the returned descriptor is closed; None where folders cannot be locked."""
    part.mkdir(parents=True)
    if fcntl is None:
        return None
    held = os.open(part, os.O_RDONLY)
    _lock(held, wait=True)
    if not _is(part, held):
        os.close(held)
        return made(part)
    return held


@contextmanager
def lent(part: Path) -> Iterator[Path]:
    """Give a new folder, locked meanwhile, and remove it with all that is in it."""
    held = made(part)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if held is not None:
            os.close(held)


def remove_abandoned(folder: Path, name: str | None = None) -> None:
    """Remove unfinished files and folders whose writers have ended.

    Args:
        folder: where they are.
        name: of the file or folder that they would have become; None: all.
    """
    if fcntl is None:
        return
    fits = re.compile((".+" if name is None else re.escape(name)) + _OWN)
    with suppress(OSError), os.scandir(folder) as entries:
        for path in [Path(entry.path) for entry in entries if fits.fullmatch(entry.name)]:
            with suppress(OSError):  # its writer is at work, or somebody else has removed it
                _remove(path)


def _remove(path: Path) -> None:
    held = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not _lock(held, wait=False):
            return
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(held)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Return whether a lock was obtained; some file systems have none."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _is(path: Path, descriptor: int) -> bool:
    """Return whether a path still leads to an open file or folder."""
    try:
        there, held = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
