"""Files that appear whole or not at all, also after a power failure; and what to do if the disk is full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from fairdistill.errors import ResourceError, UsageError
from fairdistill.system import unfinished
from fairdistill.system.unfinished import own_name, remove_abandoned

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BROKEN = {errno.EIO, errno.ENOMEM}


@contextmanager
def replaced(path: Path, *, needed: int | None = None, alone: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write; it takes its name once it is complete and safely on disk. A link is followed.

    Whatever goes wrong, the unfinished file is removed and the former one stays.

    Args:
        path: the file to write or to replace.
        needed: its size in bytes, for the message if the disk is full; None if it is not known.
        alone: whether a lock keeps other writers away. The unfinished file then has a fixed name, so that the next
            writer reuses what a killed one left. Otherwise each writer has its own, and the later one wins; what a
            killed one left is removed.

    Raises:
        ResourceError: if the disk is full or broken, or the file-size limit is reached.
        UsageError: if the path exists and is not a regular file.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} exists and is not a regular file; choose another path")
    part = path.with_name(f"{path.name}.part" if alone else own_name(path.name))
    file = held = None
    opened: BinaryIO
    try:
        if alone:
            opened = cast("BinaryIO", part.open("wb"))
        else:
            remove_abandoned(path.parent, path.name)
            opened = cast("BinaryIO", unfinished.opened(part))
            held = os.dup(opened.fileno())  # keeps the lock until the file has its name
        file = _Watched(opened)
        yield cast("BinaryIO", file)
        file.finish()
        part.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        if file is not None:
            file.close()
        part.unlink(missing_ok=True)
        failed = error if isinstance(error, OSError) else None if file is None else file.failed
        if failed is None:
            raise
        size = max(needed or 0, 0 if file is None else file.wanted)
        raise no_room(failed, path, needed=size) from error
    finally:
        if held is not None:
            os.close(held)


def no_room(error: OSError, path: Path, *, needed: int) -> Exception:
    """Return what to raise for an error while a file was written.

    Args:
        error: of the operating system.
        path: the file.
        needed: its size in bytes, or the part of it that is known.
    """
    size = f"it needs {size_text(needed)}" if needed else "it"
    if error.errno in _FULL:
        free = f"its disk has {size_text(free_bytes(path.parent))} left"
        return ResourceError(
            f"cannot write {path}: the disk is full; {size}, {free}. Free some space and run the same command again"
        )
    if error.errno == errno.EFBIG:
        return ResourceError(
            f"cannot write {path}: {size}, more than the file-size limit allows; raise the limit (ulimit -f) and run "
            "the same command again"
        )
    if error.errno in _BROKEN:
        return ResourceError(f"cannot write {path}: {error.strerror}; use another disk")
    return error if error.errno is None else OSError(error.errno, error.strerror, str(path))


def free_bytes(folder: Path) -> int:
    """Return how many bytes a user may still write on the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def size_text(size: int) -> str:
    """Return a size as text.

    Example:
        >>> size_text(3 * 2**20), size_text(1000)
        ('3 MiB', '1 KiB')
    """
    return f"{size / 2**20:,.0f} MiB" if size >= 2**20 else f"{-(-size // 2**10)} KiB"


def sync_folder(folder: Path) -> None:
    """Put the names in a folder safely on disk: without it, a rename may be lost when the power fails."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot do it
            raise
    finally:
        os.close(opened)


class _Watched:
    """A file that remembers the error of a failed write: `torch.save` turns it into one of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: OSError | None = None
        self.wanted = 0

    def write(self, content: bytes) -> int:
        self.wanted += memoryview(content).nbytes
        try:
            return self._file.write(content)
        except OSError as error:
            self.failed = error
            raise

    def flush(self) -> None:
        self._file.flush()

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Close it without an error: what its buffer still holds cannot be written, and is not needed."""
        try:
            self._file.close()
        except OSError:
            return
