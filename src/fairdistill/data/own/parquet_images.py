"""Images inside a Parquet file: a column of bytes, or of ``{bytes, path}`` as Hugging Face ``datasets`` writes it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.opening import check_bytes
from fairdistill.data.own.row_names import RowsByName, numbered
from fairdistill.errors import DataError
from fairdistill.tables.parquet_facts import column_facts

_BATCH = 32  # images read at a time, at most
_BATCH_BYTES = 4 << 20  # of them together, unless one is larger
_KEPT = 8  # batches kept: the threads that decode ask for rows that are close together
_BUFFER = 1 << 20  # bytes read from the file at a time
_PART = 1024  # rows of a row group that one process decodes at a time


class ParquetImages:
    """Images of one column of a Parquet file, by name.

    A file can only be read forwards within a row group, so images are cheap in the order of rows, in which the image
    cache is filled, and expensive in random order. One row group is open at a time, and a few batches of its rows are
    in memory, however large it is.

    Args:
        path: the file.
        column: the column of bytes, or of structs with the fields ``bytes`` and ``path``.
        leaf: the column as Parquet names it: ``image`` or ``image.bytes``.
        names: one name a row, all different.
    """

    def __init__(self, path: Path, column: str, leaf: str, names: NDArray[np.object_]) -> None:
        import pyarrow.parquet

        self.where = f"{path.absolute()}, column {column!r}"
        self._leaf = leaf
        self._rows = RowsByName(names)
        found = path.stat()
        self._signature = (found.st_size, found.st_mtime_ns % 2**64)
        # Not mapped: pages of a mapped file count as this process's memory until something else needs it.
        self._file = pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
        facts = list(column_facts(path, [leaf]))
        sizes = [rows for rows, _ in facts]
        self._starts = np.cumsum([0, *sizes])
        self._first_parts = np.cumsum([0, *(-(-rows // _PART) for rows in sizes)])
        of_row = max((parts[0].total_uncompressed_size / max(rows, 1) for rows, parts in facts), default=0.0)
        self._batch = max(1, min(_BATCH, int(_BATCH_BYTES / max(of_row, 1.0))))
        self._group = -1  # nothing is open
        self._batches: Iterator[Any] = iter(())
        self._next = 0
        self._kept: deque[tuple[int, Any]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def signature(self, name: str) -> tuple[int, int]:
        """Return the size of the whole file and the time it was changed; a change of it is one of every image."""
        self._row(name)
        return self._signature

    def size(self, name: str) -> int:
        """Return 0: images are read together with their neighbors, whatever their sizes."""
        self._row(name)
        return 0

    def part(self, name: str) -> int | None:
        """Return the number of the row group, or of a part of one that is large, among all of the file."""
        row = self._rows.get(name)
        if row is None:
            return None
        group = self._group_of(row)
        return int(self._first_parts[group] + (row - self._starts[group]) // _PART)

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        import pyarrow

        row = self._row(name)
        try:
            with self._lock:
                value = self._value(row)
        except pyarrow.ArrowException as error:
            raise DataError(f"its part of the Parquet file is damaged: {' '.join(str(error).split())}") from error
        if value is None:
            raise DataError("the row holds no image")
        check_bytes(len(value))
        return bytes(value)

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is None:
            raise DataError("there is no such row")
        return row

    def _group_of(self, row: int) -> int:
        return int(np.searchsorted(self._starts, row, side="right")) - 1

    def _value(self, row: int) -> bytes | None:
        for start, values in self._kept:
            if start <= row < start + len(values):
                return values[row - start].as_py()  # type: ignore[no-any-return]  # pyarrow has no types
        group = self._group_of(row)
        if group != self._group or row < self._next:
            self._open(group)
        while True:
            values = self._read_batch()
            self._kept.append((self._next, values))
            self._next += len(values)
            if row < self._next:
                return values[row - self._next + len(values)].as_py()  # type: ignore[no-any-return]

    def _open(self, group: int) -> None:
        """Start to read a row group, and no other one."""
        end = self._starts[self._group + 1] if self._group >= 0 else 0
        if group == self._group + 1 and 0 < end - self._next <= self._batch:
            self._kept.append((self._next, self._read_batch()))  # another thread asks for these rows soon
        self._batches = self._file.iter_batches(self._batch, row_groups=[group], columns=[self._leaf])
        self._group, self._next = group, int(self._starts[group])

    def _read_batch(self) -> Any:
        import pyarrow

        values = next(self._batches).column(0)
        return values.field("bytes") if pyarrow.types.is_struct(values.type) else values


def embedded_images(path: Path, column: str) -> tuple[NDArray[np.object_], ParquetImages | None] | None:
    """Return the names of the images in a column and their source; None for a column of anything but images.

    The source is None if the file holds paths alone, as Hugging Face ``datasets`` writes images that it has not
    embedded. The names are the paths if all are different, else the numbers of the rows.

    Raises:
        DataError: if the file cannot be read.
    """
    import pyarrow
    import pyarrow.parquet
    from pyarrow import types

    def binary(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))

    try:
        kind = pyarrow.parquet.read_schema(path).field(column).type
        rows = pyarrow.parquet.read_metadata(path).num_rows
        numbers = numbered(rows)
        if binary(kind):
            return numbers, ParquetImages(path, column, column, numbers)
        if not types.is_struct(kind):
            return None
        fields = {kind.field(at).name: kind.field(at).type for at in range(kind.num_fields)}
        paths: list[str | None] = [None] * rows
        if "path" in fields:
            stored = pyarrow.parquet.ParquetFile(path).read(columns=[f"{column}.path"]).column(0)
            paths = [value and value["path"] for value in stored.to_pylist()]
        names = numbers if None in paths or len(set(paths)) < rows else np.array(paths, object)
        if "bytes" not in fields or not binary(fields["bytes"]) or _all_null(path, f"{column}.bytes"):
            return (np.array(paths, object), None) if "path" in fields else None
        return names, ParquetImages(path, column, f"{column}.bytes", names)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error


def _all_null(path: Path, leaf: str) -> bool:
    """Return whether the statistics say that a column has no value; without statistics it is taken to have some."""
    for rows, parts in column_facts(path, [leaf]):
        counts = parts[0].statistics
        if counts is None or not counts.has_null_count or counts.null_count < rows:
            return False
    return True
