"""Where image files are: a folder, or a zip archive that is never unpacked."""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from fairdistill.data.images.gate import Gate
from fairdistill.data.images.opening import check_bytes, max_bytes
from fairdistill.errors import DataError
from fairdistill.system.regular import why_not_regular

_CHUNK = 1 << 16  # bytes of a member that are decompressed at a time


class Source(Protocol):
    """Image files by name.

    Attributes:
        where: the folder or archive, absolute, for messages and the key of a cache.
    """

    where: str

    def signature(self, name: str) -> tuple[int, int]:
        """Return the file's size and a number that changes with the file; raises DataError if there is no such file."""

    def size(self, name: str) -> int:
        """Return how many bytes reading the file takes; raises DataError if there is no such file."""

    def part(self, name: str) -> int | None:
        """Return which part of the source the file is in, whose files are best read together; None if that is open."""

    def read(self, name: str) -> bytes:
        """Return the file's content; raises OSError or DataError."""


_READING = Gate(1 << 30)  # bytes of files that all threads hold together


@contextmanager
def content_of(source: Source, name: str) -> Iterator[bytes]:
    """Give a file's content; threads wait for each other where theirs would take too much memory together.

    Raises:
        OSError, DataError: if it cannot be read.
    """
    with _READING.taking(min(source.size(name), max_bytes())):
        yield source.read(name)


class Folder:
    """Files below one folder; names are relative to it, with forward slashes.

    Raises:
        DataError: if the folder does not exist.
    """

    def __init__(self, root: Path) -> None:
        self.where = str(root.absolute())
        if not root.is_dir():
            raise DataError(f"there is no folder {self.where}; it should hold the images")

    def signature(self, name: str) -> tuple[int, int]:
        """Return the file's size and the time it was changed, in nanoseconds."""
        found = self._found(name)
        return found.st_size, found.st_mtime_ns % 2**64  # negative before 1970

    def _found(self, name: str) -> os.stat_result:
        try:
            found = os.stat(os.path.join(self.where, name))  # called a million times: Path is ten times slower
        except OSError as error:
            raise DataError(f"{error.strerror}") from error
        except ValueError as error:
            raise DataError(f"this is not a valid file name: {error}") from error
        _check_regular(found.st_mode)
        return found

    def size(self, name: str) -> int:
        """Return the file's size."""
        return self._found(name).st_size

    def part(self, name: str) -> None:
        """Return None: files are read one by one."""

    def read(self, name: str) -> bytes:
        """Return the file's content."""
        try:
            file = os.open(os.path.join(self.where, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # of a FIFO too
        except ValueError as error:
            raise DataError(f"this is not a valid file name: {error}") from error
        with open(file, "rb") as opened:
            found = os.fstat(file)
            _check_regular(found.st_mode)
            check_bytes(found.st_size)
            return opened.read()


def _check_regular(mode: int) -> None:
    why = why_not_regular(mode)
    if why is not None:
        raise DataError(why)


class Archive:
    """Members of a zip archive, by the last component of their path or by the whole path.

    Raises:
        DataError: if it is not a readable zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.where = str(path.absolute())
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is not a readable zip archive: {error}") from error
        self._lock = threading.Lock()  # one file handle, one position
        files = [member for member in self._zip.infolist() if not member.is_dir()]
        self._members = {PurePosixPath(member.filename).name: member for member in files}
        self._members.update({member.filename: member for member in files})

    def signature(self, name: str) -> tuple[int, int]:
        """Return the member's size and its CRC-32."""
        member = self._members.get(name)
        if member is None:
            raise DataError("not in the archive")
        return member.file_size, member.CRC

    def size(self, name: str) -> int:
        """Return the member's size."""
        return self.signature(name)[0]

    def part(self, name: str) -> None:
        """Return None: members are read one by one."""

    def read(self, name: str) -> bytes:
        """Return the member's content."""
        self.signature(name)
        member = self._members[name]
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError("its archive member has an unusual compression; only stored and deflated ones are read")
        check_bytes(member.file_size)
        try:
            with self._lock, self._zip.open(member) as opened:
                return _content(opened, member)
        # The errors that zipfile raises for damaged, truncated, encrypted and unusually compressed members.
        except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"its archive member is damaged or unreadable: {error}") from error


def _content(opened: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    """Return a member's content without decompressing more than the archive states that it holds."""
    parts = []
    while part := opened.read(_CHUNK):
        parts.append(part)
    content = b"".join(parts)
    if len(content) != member.file_size:
        raise DataError(f"its archive member ends after {len(content):,} of {member.file_size:,} bytes")
    return content
