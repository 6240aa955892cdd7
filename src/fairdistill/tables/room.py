"""Whether the columns of a table fit into the memory that is available."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairdistill.errors import DataError
from fairdistill.system.memory import available_bytes
from fairdistill.tables.parquet_facts import column_facts

_A_VALUE = 16  # bytes of a value, besides its text: where it starts, and its number among the different ones
_OF_JSON = 8  # bytes in memory for each byte of JSON Lines, of which whole rows are read
_LOOKED_AT = 2**16  # bytes


def check_text(path: Path, columns: Sequence[str], *, fields: int) -> None:
    """Raise a DataError if columns of a text table would not fit; ``fields`` is the number of all columns."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    rows = size * max(1, start.count(b"\n")) / max(1, len(start))
    _check(path, columns, rows * _A_VALUE * len(columns) + size * min(1.0, len(columns) / max(1, fields)))


def check_json(path: Path, columns: Sequence[str]) -> None:
    """Raise a DataError if a table of JSON Lines would not fit."""
    _check(path, columns, path.stat().st_size * _OF_JSON)


def check_parquet(path: Path, columns: Sequence[str], stored: Sequence[str]) -> None:
    """Raise a DataError if columns of a Parquet file would not fit; ``stored`` are their names in the file."""
    size = rows = 0
    for number, parts in column_facts(path, stored):
        size += sum(part.total_uncompressed_size for part in parts)
        rows += number
    _check(path, columns, size + rows * _A_VALUE * len(stored))


def _check(path: Path, columns: Sequence[str], needed: float) -> None:
    free = available_bytes()
    if free is not None and needed > free:
        names = f"column {columns[0]!r}" if len(columns) == 1 else f"{len(columns):,} columns that are used"
        raise DataError(
            f"{path}: the {names} would take about {_gib(needed)} of memory, but {_gib(free)} are available; split the "
            "table, or use a machine with more memory"
        )


def _gib(size: float) -> str:
    return f"{size / 2**30:,.1f} GiB"
