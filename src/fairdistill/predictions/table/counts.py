"""Whether the rows of a table are counts of samples, or what a model says of one class, instead of samples."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.tables.bare_names import bare_name
from fairdistill.tables.distinct import distinct
from fairdistill.tables.numbers import as_numbers
from fairdistill.tables.reading import read_columns

_WORDS = """n nn nobs count counts freq frequency frequencies cases total samples nsamples numsamples samplesize size
    rowcount nrows numrows rows records images nimages numimages instances observations support
    anzahl nombre effectif antal aantal cuenta recuento conteggio"""
_OF = re.compile(r"(count|number|anzahl|nombre|cuenta|recuento|conteggio)( of | von | de | di |\().*")
_FEWEST_IDS = 10  # fewer may differ in all predictions by chance
_COUNTS = frozenset(_WORDS.split())
_MOST_ROWS = 100_000  # of a table whose other columns are looked at
_REPEATED = 10  # with this many pairs of rows for each possible combination, chance alone repeats some


def check_rows_are_samples(
    path: Path,
    names: Sequence[str],
    used: Collection[str],
    parts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    encoding: str = "utf-8",
) -> None:
    """Raise a DataError if a table holds a row for each label, group and prediction, and how often they occur together.

    That is what GROUP BY in SQL, ``table`` in R and ``value_counts`` in pandas return, also of more columns; read as
    samples, every combination would weigh the same.

    Args:
        path: the table.
        names: its columns.
        used: those that the audit reads.
        parts: label, group and predicted class of each row, int64 ``[N]`` each.
        encoding: its text encoding.

    Example:
        >>> once = np.array([0, 1])
        >>> check_rows_are_samples(Path("t.csv"), ["label", "group", "pred"], ["label", "group", "pred"], (once,) * 3)
    """
    column = next((name for name in names if name not in used and _is_called_a_count(name)), None)
    if column is None or len(parts[0]) < 2:
        return
    what = "label, group and prediction"
    if len(np.unique(np.stack(parts, axis=1), axis=0)) < len(parts[0]):
        others = [name for name in names if name and name != column]
        if not _each_once(path, others, encoding, rows=len(parts[0])):
            return
        what = "the values of its other columns"
    if not _can_count(as_numbers(read_columns(path, [column], encoding)[column], separator="")):
        return
    raise DataError(
        f"{path} has each combination of {what} once, and column {column!r}, probably how often "
        f"it occurs, but a row must be a sample; repeat the rows, in pandas with t.loc[t.index.repeat(t[{column!r}])], "
        "or, if the column is something else, rename it"
    )


def _is_called_a_count(name: str) -> bool:
    return bare_name(name) in _COUNTS or _OF.fullmatch(name.strip().casefold()) is not None


def _each_once(path: Path, names: list[str], encoding: str, *, rows: int) -> bool:
    """Return whether no combination of the values of columns occurs twice although chance would repeat some.

    Columns with more different values than half of the rows, as of ids and means, do not count.
    """
    if rows > _MOST_ROWS:
        return False
    frame = read_columns(path, names, encoding)
    columns = [distinct(frame[name].astype(str)) for name in names]
    columns = [(codes, values) for codes, values in columns if 2 * len(values) <= rows]
    possible = math.prod(len(values) for _, values in columns)
    if not columns or rows**2 < _REPEATED * possible:
        return False
    return len(np.unique(np.stack([codes for codes, _ in columns], axis=1), axis=0)) == rows


def check_one_class_a_sample(
    where: str, columns: tuple[str, str], ids: NDArray[np.int64], parts: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> None:
    """Raise a DataError if each sample has a row for each of k classes, as tables of scores in long form have.

    Read as predictions, one of k would be right, in every group alike.

    Args:
        where: the table, for messages.
        columns: those of the ids and of the predictions or scores.
        ids: the number of each row's id, int64 ``[N]``, -1 without one.
        parts: label and predicted class of each row, int64 ``[N]`` each.
    """
    times = np.bincount(ids[ids >= 0])
    if (ids < 0).any() or len(times) < _FEWEST_IDS or times[0] < 2 or (times != times[0]).any():
        return
    of_labels, of_predictions = (ids * (int(codes.max()) + 1) + codes for codes in parts)
    if len(np.unique(of_labels)) > len(times) or len(np.unique(of_predictions)) < len(ids):
        return
    raise DataError(
        f"{where}: each value of column {columns[0]!r} has {times[0]} rows, with one label and {times[0]} different "
        f"values of column {columns[1]!r}, so a row seems to hold what the model says of one class; keep one "
        "row for each sample, that of the predicted class, or write a column of probabilities for each class, as "
        "pandas' pivot does"
    )


def _can_count(values: NDArray[np.float64]) -> bool:
    """Return whether numbers can be how often something occurs: whole ones, but not all the same, nor 1, 2, 3, ..."""
    if not (np.isfinite(values) & (values >= 0) & (values == np.floor(values))).all():
        return False
    steps = np.diff(values)
    return bool(steps.any()) and not ((steps == 1).all() and values[0] <= 1)
