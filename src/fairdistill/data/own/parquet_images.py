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
from fairdistill.errors import DataError
from fairdistill.tables.parquet_facts import column_facts

_BATCH = 32  # images read at a time
_KEPT = 8  # batches kept: the threads that decode ask for rows that are close together


class ParquetImages:
    """Images of one column of a Parquet file, by name.

    A file can only be read forwards within a row group, so images are cheap in the order of rows, in which the image
    cache is filled, and expensive in random order.

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
        self._rows = {name: row for row, name in enumerate(names.tolist())}
        found = path.stat()
        self._signature = (found.st_size, found.st_mtime_ns % 2**64)
        self._file = pyarrow.parquet.ParquetFile(path, memory_map=True)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])
        self._batches: Iterator[Any] = iter(())
        self._next = -1  # nothing is open
        self._kept: deque[tuple[int, Any]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def signature(self, name: str) -> tuple[int, int]:
        """Return the size of the whole file and the time it was changed; a change of it is one of every image."""
        if name not in self._rows:
            raise DataError("there is no such row")
        return self._signature

    def size(self, name: str) -> int:
        """Return 0: images are read together with their neighbors, whatever their sizes."""
        self.signature(name)
        return 0

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        import pyarrow

        self.signature(name)
        try:
            with self._lock:
                value = self._value(self._rows[name])
        except pyarrow.ArrowException as error:
            raise DataError(f"its part of the Parquet file is damaged: {' '.join(str(error).split())}") from error
        if value is None:
            raise DataError("the row holds no image")
        check_bytes(len(value))
        return bytes(value)

    def _value(self, row: int) -> bytes | None:
        import pyarrow

        for start, values in self._kept:
            if start <= row < start + len(values):
                return values[row - start].as_py()  # type: ignore[no-any-return]  # pyarrow has no types
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        if not self._starts[group] <= self._next <= row:
            groups = list(range(group, len(self._starts) - 1))
            self._batches = self._file.iter_batches(_BATCH, row_groups=groups, columns=[self._leaf])
            self._next = int(self._starts[group])
            self._kept.clear()
        while True:
            values = next(self._batches).column(0)
            if pyarrow.types.is_struct(values.type):
                values = values.field("bytes")
            self._kept.append((self._next, values))
            self._next += len(values)
            if row < self._next:
                return values[row - self._next + len(values)].as_py()  # type: ignore[no-any-return]


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
        numbers = np.array([f"row {row}" for row in range(1, rows + 1)], object)
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
