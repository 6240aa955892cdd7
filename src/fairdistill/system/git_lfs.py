"""Pointers that Git LFS leaves in place of large files which were not fetched."""

from __future__ import annotations

from pathlib import Path

SIGN = b"version https://git-lfs"
"""How a pointer begins."""


def unfetched(path: Path) -> str | None:
    """Return what is wrong, and what to do, if a file is a pointer instead of the file itself; None otherwise."""
    try:
        with path.open("rb") as file:
            if file.read(len(SIGN)) != SIGN:
                return None
    except OSError:
        return None  # whoever reads it says what is wrong
    return "is only a pointer to the file, which Git LFS has not fetched; run git lfs pull in its repository"
