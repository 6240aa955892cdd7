"""Where image files are: a folder, or a zip archive that is never unpacked."""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from fairdistill.errors import DataError


class Source(Protocol):
    """Image files by name.

    Attributes:
        where: the folder or archive, absolute, for messages and the key of a cache.
    """

    where: str

    def signature(self, name: str) -> tuple[int, int]:
        """Return the file's size and a number that changes with the file; raises DataError if there is no such file."""

    def read(self, name: str) -> bytes:
        """Return the file's content; raises OSError or DataError."""


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
        try:
            found = os.stat(os.path.join(self.where, name))  # called a million times: Path is ten times slower
        except OSError as error:
            raise DataError(f"{error.strerror}") from error
        except ValueError as error:
            raise DataError(f"this is not a valid file name: {error}") from error
        return found.st_size, found.st_mtime_ns % 2**64  # negative before 1970

    def read(self, name: str) -> bytes:
        """Return the file's content."""
        try:
            with open(os.path.join(self.where, name), "rb") as file:
                return file.read()
        except ValueError as error:
            raise DataError(f"this is not a valid file name: {error}") from error


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

    def read(self, name: str) -> bytes:
        """Return the member's content."""
        self.signature(name)
        try:
            with self._lock:
                return self._zip.read(self._members[name])
        # The errors that zipfile raises for damaged, truncated, encrypted and unusually compressed members.
        except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"its archive member is damaged or unreadable: {error}") from error
