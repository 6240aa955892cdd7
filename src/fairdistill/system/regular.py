"""Devices, pipes and sockets in place of files: reading one would not end, or would wait for a writer forever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a named pipe (FIFO)", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}  # fmt: skip


class NotAFileError(OSError):
    """What should be read is a device, a pipe or a socket."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))

    def __str__(self) -> str:
        return str(self.strerror)


def why_not_regular(mode: int) -> str | None:
    """Return what something is, by its mode, if it is not a regular file; None if it is one.

    Example:
        >>> why_not_regular(stat.S_IFIFO), why_not_regular(stat.S_IFREG)
        ('it is a named pipe (FIFO), not a regular file', None)
    """
    if stat.S_ISREG(mode):
        return None
    return f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a regular file"


MOST_MIB = 256  # of a file that is read as a whole


def text_of(path: Path, *, most: int = MOST_MIB) -> str:
    """Return the text of a file in UTF-8; links are followed.

    Args:
        path: of the file.
        most: MiB that are read; what is made of a text takes several times as much memory.

    Raises:
        ValueError: if the file is larger, or not UTF-8.
        NotAFileError, OSError: as :func:`check_readable`, or if it cannot be read.
    """
    check_readable(path)
    size = os.stat(path).st_size / 2**20
    if size > most:
        raise ValueError(f"it has {size:,.0f} MiB, and only files of at most {most:,} MiB are read here")
    return path.read_text(encoding="utf-8")


def check_readable(path: Path) -> None:
    """Check that a path leads to a file, or to a folder, of which opening says so; links are followed.

    Raises:
        NotAFileError: if it is a device, a pipe or a socket, or a file of ``/proc`` or ``/sys``, whose size is not
            known before it is read.
        OSError: if there is nothing.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        return
    why = why_not_regular(found.st_mode)
    if why is None and not found.st_size and os.path.realpath(path).startswith(("/proc/", "/sys/")):
        why = "it is a file of the system, whose size is not known"
    if why is not None:
        raise NotAFileError(path, why)
