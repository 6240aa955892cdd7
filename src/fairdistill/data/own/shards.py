"""A folder of Parquet files whose names say their splits, as Hugging Face ``datasets`` uploads a data set.

The files are ``train-00000-of-00002.parquet``, ``test-00000-of-00001.parquet`` and so on, in the folder or in its
``data`` folder, and hold the images themselves. The Hugging Face Hub converts others to ``train/0000.parquet`` and so
on.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.sources import Source
from fairdistill.data.own.joined import Joined, Prefixed
from fairdistill.data.own.parquet_images import embedded_images
from fairdistill.data.own.saved import saved_files, saved_images
from fairdistill.errors import DataError
from fairdistill.tables.arrow import SUFFIX, arrow_table
from fairdistill.tables.reading import is_parquet

SPLIT_WORDS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "validate": "val",
    "dev": "val",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_WORD = re.compile(r"[a-z]+").match


def shards(path: Path) -> tuple[tuple[str, Path], ...]:
    """Return the Parquet files of a folder, each with its split; none unless the names of all of them say one.

    For a folder of ``save_to_disk``, its Arrow files, with an empty split if it has none.
    """
    saved = saved_files(path, SPLIT_WORDS)
    if saved:
        return saved
    for folder in (path, path / "data"):
        files = sorted(file for file in folder.glob("*.parquet") if file.is_file()) if folder.is_dir() else []
        words = [found[0] if (found := _WORD(file.name.lower())) else "" for file in files]
        if files and set(words) <= set(SPLIT_WORDS):
            return tuple((SPLIT_WORDS[word], file) for word, file in zip(words, files, strict=True))
    return tuple((split, file) for word, split in SPLIT_WORDS.items() for file in _numbered_files(path / word))


def _numbered_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a split's own folder whose names are numbers; others may describe its images."""
    return sorted(file for file in folder.glob("*.parquet") if file.stem.isdecimal() and file.is_file())


def parquet_files(path: Path) -> tuple[Path, ...]:
    """Return the Parquet files of a table or folder; none if it is another kind of table."""
    if path.is_dir():
        return tuple(file for _, file in shards(path))
    return (path,) if is_parquet(path) else ()


def rows_in(file: Path) -> int:
    """Return the number of rows of a Parquet or Arrow file."""
    if file.suffix.lower() == SUFFIX:
        return len(arrow_table(file))
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(file).num_rows)


def embedded(path: Path, column: str) -> tuple[NDArray[np.object_], Source | None] | None:
    """Return the images inside a Parquet file or a folder of them; see :func:`.parquet_images.embedded_images`.

    Raises:
        DataError: if a file cannot be read, or only some of several files hold images.
    """
    files = parquet_files(path)
    found = [(saved_images if file.suffix.lower() == SUFFIX else embedded_images)(file, column) for file in files]
    if len(found) == 1:
        return found[0]
    held = [each for each in found if each is not None]
    if not held:
        return None
    sources = [source for _, source in held if source is not None]
    if len(held) < len(found) or 0 < len(sources) < len(found):
        raise DataError(f"{path}: only some of its Parquet files hold images in the column {column!r}")
    names = np.concatenate([names for names, _ in held])
    if not sources:
        return names, None
    where = f"{path.absolute()}, column {column!r}"
    each = list(zip(files, sources, (inner.tolist() for inner, _ in held), strict=True))
    if len(set(names.tolist())) == len(names):
        return names, Joined(where, {name: (source, name) for _, source, inner in each for name in inner})
    apart = len({file.name for file in files}) == len(files)
    shown = [file.name if apart else f"{file.parent.name}/{file.name}" for file in files]
    prefixed = [Prefixed.name(own, name) for own, (_, _, inner) in zip(shown, each, strict=True) for name in inner]
    return np.array(prefixed, object), Prefixed(where, dict(zip(shown, sources, strict=True)))
