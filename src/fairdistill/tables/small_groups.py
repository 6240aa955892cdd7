"""Notes on groups that are too many or too small: numbers used as groups, and subgroups with few rows."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.numbers import decimals

_MANY_NUMBERS = 10
_MANY_GROUPS = 20
_FEW_ROWS = 20
_PLAIN = re.compile(r"\d+([.,]\d+)?")
_QUANTITY = re.compile(r"([<>~\u2264\u2265]=?\s*)?\d+([.,]\d+)?(\s*([+]|[^\W\d_]))*")
_MONTH = r"[-/. ]?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/. ]?"
_DATE = re.compile(
    rf"(\d{{4}}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3(\d\d|\d{{4}})|\d\d?{_MONTH}(\d\d|\d{{4}}))([T ].*)?"
)


def number_note(column: str, names: Sequence[str], rows: Sequence[int]) -> str | None:
    """Return a note with a ``--bin`` to use if a group column holds many different numbers, or what to do with dates.

    Example:
        >>> number_note("age", [str(age) for age in range(18, 70)], [4] * 52)
        "Column 'age' has 52 different numbers, each a group of its own; to cut them into ranges, add --bin age=35,50"
    """
    if len(names) <= _MANY_NUMBERS:
        return None
    if all(_DATE.fullmatch(name.strip()) for name in names):
        return (
            f"Column {column!r} has {len(names):,} different dates, each a group of its own; write the year or the age "
            "in a column of its own, and cut that into ranges with --bin"
        )
    try:
        values = np.array(decimals(names) or [float(name) for name in names])
    except ValueError:
        odd = [name for name in names if not _PLAIN.fullmatch(name.strip())]
        if not all(_QUANTITY.fullmatch(name.strip()) for name in odd):
            return None
        return (
            f"Column {column!r} has {len(names):,} different quantities, each a group of its own; write plain numbers "
            f"for those such as {odd[0]!r}, and cut them into ranges with --bin"
        )
    if not 0 < np.ptp(values) < np.inf:
        return None
    shown = ",".join(f"{edge:.10g}" for edge in _edges(values, np.asarray(rows, np.float64)))
    return (
        f"Column {column!r} has {len(names):,} different numbers, each a group of its own; to cut them into ranges, "
        f"add --bin {shlex.quote(f'{column}={shown}')}"
    )


def _edges(values: NDArray[np.float64], rows: NDArray[np.float64]) -> list[float]:
    """Return round numbers that cut the rows into about three equal parts."""
    order = np.argsort(values)
    values, share = values[order], np.cumsum(rows[order]) / rows.sum()
    tenth = (values[-1] - values[0]) / 10
    power = 10 ** math.floor(math.log10(tenth))
    unit = max(step * power for step in (1, 2, 5) if step * power <= tenth)
    cuts = [float(values[min(int(np.searchsorted(share, part)), len(values) - 1)]) for part in (1 / 3, 2 / 3)]
    rounded = sorted({round(cut / unit) * unit for cut in cuts})
    return [cut for cut in rounded if values[0] < cut <= values[-1]] or [float(values[len(values) // 2])]


def few_rows_note(rows: NDArray[np.int64]) -> str | None:
    """Return a note if there are more than 20 groups and some subgroups have fewer than 20 rows.

    Args:
        rows: rows of each subgroup, int64 ``[G, C]``.

    Example:
        >>> few_rows_note(np.full((30, 2), 7))[:69]
        'There are 30 groups, and 60 of 60 subgroups have fewer than 20 rows ('
    """
    few = int((rows < _FEW_ROWS).sum())
    if len(rows) <= _MANY_GROUPS or not few:
        return None
    return (
        f"There are {len(rows):,} groups, and {few:,} of {rows.size:,} subgroups have fewer than {_FEW_ROWS} rows "
        f"(median {np.median(rows):,.0f}, smallest {rows.min():,}); gaps between such small subgroups are mostly "
        "chance, so merge groups where you can"
    )
