"""The rows of a table of predictions: their ids, and which of them are not independent."""

from __future__ import annotations

import re
import shlex

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.tables.columns import Columns
from fairdistill.tables.meaning import answer
from fairdistill.tables.sources import linked, sources_of
from fairdistill.tables.splits import letters_of

_MOST_ROWS = 20  # of one sample, on average, in a column that is taken for ids
_ROUNDED = re.compile(r"\d[.,]\d{1,14}[eE]\+\d+")
REPEATED = "more than once, in"
"""Words of the note on ids that occur several times, by which others find it."""


def recognized_ids(columns: Columns, column: str | None) -> str | None:
    """Return a column that was chosen as ids because of its name; None if its values say that they are none.

    The name ``id`` leaves no doubt. Others are noted in ``columns``.
    """
    if column is None or column.casefold() == "id":
        return column
    values = len(columns.distinct(column)[1])
    if values * _MOST_ROWS < len(columns.frame):
        columns.notes.append(
            f"Column {column!r} has {values:,} values in {len(columns.frame):,} rows, so it was not taken for ids; if "
            f"rows with the same one show one sample, add --id {shlex.quote(column)}"
        )
        return None
    columns.notes.append(f"Samples are identified by column {column!r}; name another one with --id")
    return column


def row_names(columns: Columns, column: str) -> NDArray[np.object_]:
    """Return a column of ids as texts, an empty text where there is none or it is unknown."""
    values = columns.frame[column]
    texts = np.asarray(values.astype(str).to_numpy(), object)
    texts[values.isna().to_numpy()] = ""
    if columns.unknown:
        texts[[text.strip() in columns.unknown for text in texts.tolist()]] = ""
    return texts


def unique_names(columns: Columns, column: str) -> NDArray[np.object_]:
    """Return a column of unique ids; an error names the first row that is empty or repeats one."""
    texts = row_names(columns, column)
    empty = np.flatnonzero(texts == "")
    if len(empty):
        raise DataError(f"{columns.where(int(empty[0]))}: column {column!r} is empty; every row needs a unique name")
    _, first, at = np.unique(texts.astype(str), return_index=True, return_inverse=True)
    twice = np.flatnonzero(first[at] != np.arange(len(texts)))
    if len(twice):
        row = int(twice[0])
        raise DataError(
            f"{columns.where(row)}: column {column!r} repeats {texts[row]!r}; every row needs a unique name"
        )
    return texts


def training_note(columns: Columns, column: str) -> list[str]:
    """Return a note if a column of splits, or one called ``is_train``, says that some rows are training data.

    Example:
        >>> import pandas as pd
        >>> from pathlib import Path
        >>> training_note(Columns(Path("t.csv"), pd.DataFrame({"split": ["train", "test"]}), {}), "split")
        ["Column 'split' says that 1 of 2 rows are training data, and all rows are audited; keep only the test rows"]
    """
    asks = letters_of(column) == "istrain"
    times = columns.frame[column].astype(str).value_counts()
    rows = sum(
        int(count)
        for word, count in times.items()
        if (answer(str(word)) == "yes" if asks else str(word).strip().casefold() in ("train", "training"))
    )
    if not rows:
        return []
    return [
        f"Column {column!r} says that {rows:,} of {len(columns.frame):,} rows are training data, and all rows are "
        "audited; keep only the test rows"
    ]


def row_sources(columns: Columns, id_column: str | None, column: str | None) -> NDArray[np.int64]:
    """Return the source of each row as a number.

    Rows that share a value of the source column or an id, directly or through other rows, are one source; a row whose
    source is empty or unknown has one of its own. Repeated ids are noted in ``columns``.

    Args:
        columns: the table.
        id_column: the ids, if there are any.
        column: the sources, if there are any.

    Raises:
        DataError: if all rows are one source.
    """
    rows = len(columns.frame)
    named = None if column is None else sources_of(columns, column)
    repeated = None if id_column is None else _repeated(columns, id_column)
    if repeated is None:
        found = np.arange(rows) if named is None else named
    else:
        found = repeated if named is None else linked(named, repeated)
    if rows > 1 and (found == found[0]).all():
        how = [f"--source {column}"] * (named is not None) + [f"--id {id_column}"] * (repeated is not None)
        raise DataError(
            f"{columns.path}: all rows are one source by {' and '.join(how)}, so nothing can be said about chance; "
            "name a column that tells samples or people apart"
        )
    return found


def _repeated(columns: Columns, column: str) -> NDArray[np.int64] | None:
    """Return each row's id as a number, None if every row has one of its own."""
    codes = sources_of(columns, column)
    note = repeated_note(codes, column)
    if note is None:
        return None
    columns.notes.append(note)
    rounded = [value for value in map(str, columns.distinct(column)[1]) if _ROUNDED.fullmatch(value.strip())]
    if rounded:
        columns.notes.append(
            f"Column {column!r} has {rounded[0]!r}, a long number that a spreadsheet rounded, so different ids may "
            "look the same; export it as text"
        )
    return codes


def repeated_note(codes: NDArray[np.int64], column: str) -> str | None:
    """Return a note if ids occur more than once; None if each is one of its own.

    Args:
        codes: the id of each row as a number, int64 ``[N]``.
        column: the column of the ids.

    Example:
        >>> repeated_note(np.array([0, 1, 1]), "id")[:63]
        "1 value of column 'id' occurs more than once, in 2 rows (up to "
    """
    times = np.bincount(codes)
    times = times[times > 1]
    if not len(times):
        return None
    what = f"value of column {column!r} occurs" if len(times) == 1 else f"values of column {column!r} occur"
    return (
        f"{len(times):,} {what} {REPEATED} {int(times.sum()):,} rows (up to {int(times.max()):,} each); rows "
        f"with the same {column} count as one source, not as independent samples"
    )
