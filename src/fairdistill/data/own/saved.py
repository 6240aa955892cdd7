"""Folders that ``save_to_disk`` of Hugging Face's ``datasets`` wrote, and the Arrow files in them.

A ``Dataset`` is a folder with ``state.json``, which lists its Arrow files. A ``DatasetDict`` is a folder with
``dataset_dict.json`` and such a folder for each split.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.opening import check_bytes
from fairdistill.data.own.row_names import RowsByName, numbered
from fairdistill.errors import DataError
from fairdistill.system.regular import text_of
from fairdistill.tables.arrow import arrow_table
from fairdistill.text.parsing import from_json

_STATE, _DICT = "state.json", "dataset_dict.json"


def saved_files(path: Path, words: Mapping[str, str]) -> tuple[tuple[str, Path], ...]:
    """Return the Arrow files of a folder, each with its split; an empty split for a data set that has none.

    Args:
        path: a folder; nothing is returned for one that ``save_to_disk`` did not write.
        words: the splits by their words.

    Raises:
        DataError: if the folder lacks a file, or has a split whose word is not known.
    """
    if (path / _STATE).is_file():
        return tuple(("", file) for file in _files(path))
    if not (path / _DICT).is_file():
        return ()
    names = _read(path / _DICT).get("splits")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path / _DICT} does not list the splits; save the data set again")
    odd = next((name for name in names if name.lower() not in words), None)
    if odd is not None:
        raise DataError(
            f"{path} has the split {odd!r}, expected train, val or test; name the folder of one split, {path / odd}, "
            "or rename it before save_to_disk"
        )
    return tuple((words[name.lower()], file) for name in names for file in _files(path / name))


def _files(folder: Path) -> list[Path]:
    listed = _read(folder / _STATE).get("_data_files")
    try:
        files = [folder / Path(each["filename"]).name for each in listed]  # type: ignore[union-attr]  # checked here
    except (TypeError, KeyError) as error:
        raise DataError(f"{folder / _STATE} does not list the data files; save the data set again") from error
    for file in files:
        if not file.is_file():
            raise DataError(f"{folder / _STATE} names {file.name}, which is not there; copy the whole folder again")
    return files


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = from_json(text_of(path))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON: {error}; save the data set again") from error
    return content if isinstance(content, Mapping) else {}


class ArrowImages:
    """Images of one column of an Arrow file, by name; the file is mapped into memory, so any order is cheap.

    Args:
        path: the file.
        column: the column of bytes, or of structs with the fields ``bytes`` and ``path``.
        names: one name a row, all different.
    """

    def __init__(self, path: Path, column: str, names: NDArray[np.object_]) -> None:
        import pyarrow

        self.where = f"{path.absolute()}, column {column!r}"
        found = path.stat()
        self._signature = (found.st_size, found.st_mtime_ns % 2**64)
        self._rows = RowsByName(names)
        values = arrow_table(path).column(column)
        self._is_struct = pyarrow.types.is_struct(values.type)
        self._values = values

    def signature(self, name: str) -> tuple[int, int]:
        """Return the size of the whole file and the time it was changed; a change of it is one of every image."""
        if self._rows.get(name) is None:
            raise DataError("there is no such row")
        return self._signature

    def size(self, name: str) -> int:
        """Return how many bytes an image has."""
        value = self._value(name)
        return 0 if value is None else int(value.as_buffer().size)

    def part(self, name: str) -> None:
        """Return None: any order is cheap."""

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        value = self._value(name)
        if value is None:
            raise DataError("the row holds no image")
        check_bytes(int(value.as_buffer().size))
        return bytes(value.as_py())

    def _value(self, name: str) -> Any:
        row = self._rows.get(name)
        if row is None:
            raise DataError("there is no such row")
        value = self._values[row]
        if self._is_struct:
            value = value["bytes"] if value.is_valid else value
        return value if value.is_valid else None


def saved_images(path: Path, column: str) -> tuple[NDArray[np.object_], ArrowImages | None] | None:
    """Return the names of the images in a column of an Arrow file and their source; None for anything but images.

    As :func:`.parquet_images.embedded_images` does for a Parquet file.
    """
    from pyarrow import compute, types

    values = arrow_table(path).column(column)
    kind, rows = values.type, len(values)
    numbers = numbered(rows)
    if types.is_binary(kind) or types.is_large_binary(kind):
        return numbers, ArrowImages(path, column, numbers)
    if not types.is_struct(kind):
        return None
    fields = {kind.field(at).name for at in range(kind.num_fields)}
    parts = {name: compute.struct_field(values, name) for name in fields & {"bytes", "path"}}
    paths: list[str | None] = parts["path"].to_pylist() if "path" in parts else [None] * rows
    names = numbers if None in paths or len(set(paths)) < rows else np.array(paths, object)
    if "bytes" not in parts or parts["bytes"].null_count == rows:
        return (np.array(paths, object), None) if "path" in parts else None
    return names, ArrowImages(path, column, names)
