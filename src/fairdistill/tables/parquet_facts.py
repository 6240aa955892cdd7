"""What a Parquet file says about its columns, asked so that a damaged file is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_BUFFER = 1 << 16  # bytes


def column_facts(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number of rows of each row group, and pyarrow's metadata of each stored part of columns in it.

    pyarrow raises an error for a damaged column when its first row is read, but ends the process when one asks for the
    metadata of the column. So the first row is read before.

    Args:
        path: the file.
        columns: names as they are stored; ``column.field`` is a field of a column that has several.

    Raises:
        OSError: if a column is damaged; pyarrow's own errors, too.
    """
    import pyarrow.parquet

    # Without a buffer, the first row of a column takes reading all of it.
    with pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
        facts = file.metadata
        paths = [facts.schema.column(at).path for at in range(facts.num_columns)]
        parts = [at for at, each in enumerate(paths) if each in columns or each.split(".")[0] in columns]
        for number in range(facts.num_row_groups):
            next(file.iter_batches(1, row_groups=[number], columns=list(columns)), None)
            group = facts.row_group(number)
            yield group.num_rows, [group.column(at) for at in parts]
