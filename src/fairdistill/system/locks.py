"""Locks between the processes of a machine: a file that one of them holds, until it ends however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from fairdistill.errors import RunFolderError, forbidden


def take(file: Path, *, seconds: float = 0, any_thread: bool = False) -> filelock.BaseFileLock | None:
    """Return a lock, held; None if another process holds it. A killed process loses its locks.

    Args:
        file: of the lock; its folder exists.
        seconds: how long to wait for another process; -1 waits for ever.
        any_thread: whether another thread may let go of it.

    Raises:
        RunFolderError: if one may not write in its folder.
    """
    lock = filelock.FileLock(file, timeout=seconds, thread_local=not any_thread)
    try:
        lock.acquire()
    except filelock.Timeout:
        return None
    except OSError as error:
        if not forbidden(error):
            raise
        why = f"you may not write in {file.parent}; choose another folder, or copy it to one of yours"
        raise RunFolderError(why) from error
    return lock


@contextmanager
def held(file: Path, *, seconds: float = -1) -> Iterator[bool]:
    """Hold a lock for a block, which gets whether it is held; see :func:`take`."""
    lock = take(file, seconds=seconds)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()
