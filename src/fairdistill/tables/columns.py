"""Columns of a table as integer codes with names: classes and groups."""

from __future__ import annotations

import csv
import io
import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.tables.meaning import found_in
from fairdistill.tables.order import in_order
from fairdistill.tables.reading import place

if TYPE_CHECKING:
    import pandas as pd


class Columns:
    """Columns of a table as integer codes; errors name the row.

    Args:
        path: the table, for messages.
        frame: the columns that were read.
        bins: where numeric columns are cut into ranges, ``{"age": "20,40"}``.
    """

    def __init__(self, path: Path, frame: pd.DataFrame, bins: Mapping[str, str]) -> None:
        self.path, self.frame, self._bins = path, frame, bins

    def codes(
        self, column: str, role: str, *, unknown: bool = False, order: str | None = None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return a column's values as codes, -1 where empty, and the name of each code."""
        values = self.frame[column]
        if column in self._bins:
            codes, names = self._binned(column)
        else:
            try:
                categorical = values.astype("category")
            except TypeError as error:
                raise DataError(f"{self.path}: column {column!r} does not hold text or numbers: {error}") from error
            shown = [str(value) for value in categorical.cat.categories]
            names = in_order(name for name in shown if name.strip())
            at = {name: code for code, name in enumerate(names)}
            place = np.array([at.get(value, -1) for value in shown] + [-1], np.int64)  # only blanks count as empty
            codes = place[categorical.cat.codes.to_numpy()]
        empty = np.flatnonzero(codes < 0)
        if len(empty) and not unknown:
            more = f" (and in {len(empty) - 1:,} more rows)" if len(empty) > 1 else ""
            raise DataError(f"{self.where(int(empty[0]))}: column {column!r} is empty{more}; every row needs a {role}")
        if order is not None:
            codes, names = reordered(codes, names, order, where=self.where)
        return codes, names

    def crossed(self, columns: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return group columns combined into one, see :func:`cross`."""
        found = [self.codes(column, "group", unknown=True) for column in columns]
        return cross([codes for codes, _ in found], [names for _, names in found])

    def _binned(self, column: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        import pandas as pd

        edges = bin_edges(column, self._bins[column])
        values = self.frame[column]
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{self.where(row)}: column {column!r} has {values.iloc[row]!r}, which is not a number; "
                "--bin needs numbers"
            )
        codes = np.searchsorted(edges, numbers, side="right")
        return np.where(np.isnan(numbers), -1, codes).astype(np.int64), bin_names(edges)

    def where(self, row: int) -> str:
        """Return where a row is, for messages."""
        return place(self.path, row)


def cross(
    codes: Sequence[NDArray[np.int64]], names: Sequence[Sequence[str]]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Combine several group attributes into one: the combinations that occur; unknown if any attribute is unknown."""
    total, all_names = codes[0], tuple(names[0])
    for code, more in zip(codes[1:], names[1:], strict=True):
        total = np.where((total < 0) | (code < 0), -1, total * len(more) + code)
        all_names = tuple(f"{a}, {b}" for a in all_names for b in more)
    occurring = np.unique(total[total >= 0])
    place = np.full(len(all_names) + 1, -1, np.int64)
    place[occurring] = np.arange(len(occurring))
    return place[total], tuple(all_names[code] for code in occurring.tolist())


def reordered(
    codes: NDArray[np.int64], names: tuple[str, ...], order: str, *, where: Callable[[int], str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Renumber the classes in the order of the list ``order``, see :func:`listed`."""
    wanted = listed(order)
    if len(set(wanted)) != len(wanted):
        raise UsageError(f"--classes {order} names a class twice")
    places = found_in(names, wanted)
    if places is None:
        name = next(name for name in names if name not in wanted)
        row = int(np.flatnonzero(codes == names.index(name))[0])
        raise DataError(
            f"{where(row)}: the class {name!r} is not in --classes {order}; put names that contain a comma in "
            "double quotes"
        )
    return np.array(places, np.int64)[codes], wanted


def listed(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; names that contain a comma are in double quotes.

    Example:
        >>> listed('dog, "cat, wild"')
        ('dog', 'cat, wild')
    """
    return tuple(next(csv.reader([text], skipinitialspace=True)))


def classes_option(names: Sequence[str]) -> str:
    r"""Return the option that lists classes, as a shell needs it; :func:`listed` reads its value.

    Example:
        >>> classes_option(["dog", "cat"]), classes_option(["-1", "1"]), classes_option(["dog", "cat, wild"])
        ('--classes dog,cat', '--classes=-1,1', '--classes \'dog,"cat, wild"\'')
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    value = shlex.quote(text.getvalue())
    return f"--classes={value}" if value.startswith("-") else f"--classes {value}"


def bin_edges(column: str, text: str) -> NDArray[np.float64]:
    """Return the increasing numbers of ``20,40``."""
    try:
        edges = np.array([float(part) for part in str(text).split(",")])
    except ValueError:
        raise UsageError(f"expected --bin {column}=NUMBER,NUMBER,..., but got {column}={text}") from None
    if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise UsageError(f"expected --bin {column} to list increasing numbers, but got {text}")
    return edges


def bin_names(edges: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the name of each bin: ``<20``, ``20 to <40``, ``>=40``."""
    shown = [repr(edge).removesuffix(".0") for edge in edges.tolist()]
    between = [f"{low} to <{high}" for low, high in itertools.pairwise(shown)]
    return (f"<{shown[0]}", *between, f">={shown[-1]}")
