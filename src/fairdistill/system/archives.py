"""What a zip archive holds, without unpacking it."""

from __future__ import annotations

import zipfile
from pathlib import Path


def records_in_archive(path: Path) -> list[zipfile.ZipInfo]:
    """Return the records of a zip archive; none if a file is not one, is damaged, or cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return []


def names_in_archive(path: Path) -> list[str]:
    """Return the names in a zip archive; none if a file is not one, is damaged, or cannot be read."""
    return [record.filename for record in records_in_archive(path)]
