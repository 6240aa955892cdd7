"""Walking through a folder: every folder is read once, whatever links lead to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from fairdistill.errors import DataError


@dataclass
class Walk:
    """The files below a folder, hidden ones left out.

    Folders are read before the links to them, and each only once, by the first of its names. A link to a folder that
    holds the walked one is not followed, since everything beside that one would be read as a part of it.

    Args:
        root: the folder.

    Attributes:
        repeated: links that were not followed, relative to the folder.
        folders: those that were read, relative to the folder, the folder itself left out.

    Raises:
        DataError: for a folder that cannot be read.
    """

    root: Path
    repeated: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the folder, relative to the root (empty for the root itself), and the name of each file."""
        top = os.stat(self.root)
        above = (os.stat(parent) for parent in self.root.resolve().parents)
        seen = {(top.st_dev, top.st_ino), *((found.st_dev, found.st_ino) for found in above)}
        left, links = [""], list[str]()  # links are a heap, to be followed in the order of their names
        while left or links:
            if not left:
                link = heappop(links)
                found = os.stat(self.root / link)
                if (found.st_dev, found.st_ino) in seen:
                    self.repeated.append(link)
                    continue
                seen.add((found.st_dev, found.st_ino))
                left.append(link)
            folder = left.pop()
            if folder:
                self.folders.append(folder)
            for entry in self._entries(folder):
                name = os.path.join(folder, entry.name)
                if not _is_folder(entry):
                    yield folder, entry.name
                elif entry.is_symlink():
                    heappush(links, name)
                else:
                    found = entry.stat()
                    if (found.st_dev, found.st_ino) not in seen:  # a link may have led here from elsewhere
                        seen.add((found.st_dev, found.st_ino))
                        left.append(name)
                    else:
                        self.repeated.append(name)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as found:
                return [entry for entry in sorted(found, key=lambda entry: entry.name) if entry.name[0] != "."]
        except OSError as error:
            raise DataError(f"cannot read the folder {self.root / folder}: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself; reading it says what is wrong with it
        return False
