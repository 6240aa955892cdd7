"""The column of a table that says which images its rows are."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import is_address
from fairdistill.data.images.sources import Folder, Source
from fairdistill.data.own.paths import common_folder, moved, relative
from fairdistill.errors import DataError
from fairdistill.tables.columns import Columns
from fairdistill.tables.distinct import distinct

_LONGEST = 4096  # characters of a path; images as Base64 have more
_BASE64 = re.compile(r"data:image/|iVBORw0KGgo|/9j/[A-Za-z0-9+/]{60}").match  # PNG and JPEG


@dataclass(frozen=True)
class Images:
    """The images of a table.

    Attributes:
        names: their names, object ``[N]``.
        source: where they are; None: in the folder that paths are relative to.
        notes: how the column was read.
    """

    names: NDArray[np.object_]
    source: Source | None = None
    notes: tuple[str, ...] = ()


def images_of(
    columns: Columns, column: str, base: Path, embedded: tuple[NDArray[np.object_], Source | None] | None
) -> Images:
    """Return the images that a column names or holds.

    Args:
        columns: the table.
        column: the column.
        base: the folder that paths are relative to; if that is the table's own, they may lead elsewhere if all do.
        embedded: the images inside a Parquet file, see :func:`.shards.embedded`.

    Raises:
        DataError: naming the row of a path that is empty, or outside ``base``.
    """
    if embedded is not None:
        names, source = embedded
        if source is not None:
            return Images(names, source)
        columns.frame[column] = names
    _, values = _texts(columns, column)
    root = _root(base)
    movable = base == columns.path.parent and any(relative(value, root) is None for value in values)
    folder = common_folder(values, root) if movable else None
    if folder is None:
        return Images(plain_paths(columns, column, base))
    all_are = "are absolute" if values[0].startswith("/") else "lead out of the table's folder"
    note = f"all image paths {all_are}, so they are read relative to {folder}, the folder that holds all of them"
    return Images(plain_paths(columns, column, folder, start=base), Folder(folder), (note,))


def plain_paths(columns: Columns, column: str, base: Path, *, start: Path | None = None) -> NDArray[np.object_]:
    """Return normalized paths relative to ``base``.

    Args:
        columns: the table.
        column: the column of paths.
        base: the folder.
        start: the folder that they are relative to in the table; default: the same.

    Raises:
        DataError: naming the row of a path that is empty, a URL, or outside ``base``.
    """
    root, (of_row, values) = _root(base), _texts(columns, column)
    url = next((value for value in values if is_address(value)), None)
    if url is not None:
        row = int(np.argmax(of_row == values.index(url)))
        raise DataError(
            f"{columns.where(row)}: {url!r} is a URL; name files on this machine (download images from the web first)"
        )
    found = []
    for at, value in enumerate(values):
        inside = relative(value if start is None else posixpath.join(_root(start), value), root)
        if inside is None:
            remedy = moved(values, base) or (
                "; write all paths relative to one folder that holds all images, and name it with --data-root"
            )
            row = int(np.argmax(of_row == at))
            raise DataError(f"{columns.where(row)}: {value!r} is outside {root}{remedy}")
        found.append(inside)
    return np.array(found, object)[of_row]


def _texts(columns: Columns, column: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return the number of each row's path, int64 ``[N]``, and the paths in the order in which they first occur."""
    given = columns.frame[column]
    try:
        of_row, values = distinct(given)
    except TypeError:  # lists, for example
        of_row, values = np.arange(len(given)), np.asarray(given, object)
    unusable = np.array([not _is_path(value) for value in values] + [True])[of_row]
    if unusable.any():
        row = int(np.argmax(unusable))
        value = values[of_row[row]] if of_row[row] >= 0 else ""
        if isinstance(value, str) and not value.strip():
            raise DataError(f"{columns.where(row)}: column {column!r} is empty; add an image path or remove the row")
        if isinstance(value, str) and _BASE64(value):
            raise DataError(
                f"{columns.where(row)}: column {column!r} holds images as Base64 text, which is not read; write them "
                "to files, or as bytes into a Parquet file"
            )
        raise DataError(
            f"{columns.where(row)}: column {column!r} holds neither paths nor image files (bytes in a Parquet file); "
            "choose another column with --image"
        )
    return of_row, values.tolist()


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST and not _BASE64(value)


def _root(base: Path) -> str:
    return posixpath.normpath(base.absolute().as_posix()).rstrip("/") + "/"
