"""Columns of a table as integer codes with names: classes and groups."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.tables.bins import bin_edges, bin_names
from fairdistill.tables.distinct import distinct
from fairdistill.tables.meaning import found_in
from fairdistill.tables.numbers import as_numbers, decimals
from fairdistill.tables.order import in_order
from fairdistill.tables.reading import place
from fairdistill.tables.small_groups import number_note
from fairdistill.tables.spelling import spelling_notes
from fairdistill.tables.unknown import codes_of_unknown, means_unknown, unknown_option
from fairdistill.text.lists import joined
from fairdistill.text.numbers import counted

if TYPE_CHECKING:
    import pandas as pd

_OTHER_SIGN = re.compile(r"(?<=\d)[^\d.eE](?=\d)|\d[.]\d+[.]\d")  # of decimals or thousands


class Columns:
    """Columns of a table as integer codes; errors name the row.

    Args:
        path: the table, for messages.
        frame: the columns that were read.
        bins: where numeric columns are cut into ranges, ``{"age": "20,40"}``.
        unknown: values of groups and sources that mean unknown, without surrounding blanks; 999 also means 999.0.

    Attributes:
        notes: what a reader should know about the values, one sentence each.
    """

    def __init__(self, path: Path, frame: pd.DataFrame, bins: Mapping[str, str], unknown: Collection[str] = ()) -> None:
        self.path, self.frame, self._bins = path, frame, bins
        self.unknown = frozenset(form for word in unknown for form in _forms(word))
        self.notes: list[str] = []

    def codes(
        self, column: str, role: str, *, unknown: bool = False, order: str | None = None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return a column's values as codes, -1 where empty (or, of groups, unknown), and the name of each code."""
        if column in self._bins:
            codes, names, _ = self._binned(column, self.unknown if unknown else ())
        else:
            of_row, different = self.distinct(column)
            shown = [str(value) for value in different]
            left_out = {"", *(self.unknown if unknown else ())}
            names = _ordered(name for name in shown if name.strip() not in left_out)
            at = {name: code for code, name in enumerate(names)}
            place = np.array([at.get(value, -1) for value in shown] + [-1], np.int64)  # only blanks count as empty
            codes = place[of_row]
        empty = np.flatnonzero(codes < 0)
        if len(empty) and not unknown:
            others = len(empty) - 1
            more = f" (and in {counted(others, 'more row')})" if others else ""
            raise DataError(
                f"{self.where(int(empty[0]))}: column {column!r} is empty{more}; every row needs {_one(role)}, "
                "so fill it in or drop the row"
            )
        if order is not None:
            codes, names = reordered(codes, names, order, where=self.where)
        return codes, names

    def distinct(self, column: str) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Return the number of each row's value and the different values, see :func:`.distinct.distinct`.

        Raises:
            DataError: naming the first row with a list or another value of several parts.
        """
        values = self.frame[column]
        try:
            return distinct(values)
        except TypeError:
            parted = ((row, value) for row, value in enumerate(values) if not isinstance(value, Hashable))
            row, value = next(parted, (0, values.iloc[0]))
            raise DataError(
                f"{self.where(row)}: column {column!r} has {' '.join(str(value).split())[:60]}, which is neither text "
                "nor a number; store a single value in each row"
            ) from None

    def crossed(
        self, columns: Sequence[str], others: Iterable[str | None] | None = ()
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return group columns combined into one, see :func:`cross`; their spelling is noted.

        Args:
            columns: the group columns.
            others: more columns to which the values that mean unknown apply; None if they apply to some that are not
                here, so that nothing can be said about values that no row has.
        """
        found = []
        for column in columns:
            if column in self._bins:
                codes, names, notes = self._binned(column, self.unknown)
            else:
                codes, names = self.codes(column, "group", unknown=True)
                rows = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
                notes = group_notes(column, names, rows)
            found.append((codes, names))
            self.notes += notes
        if others is not None:
            meant = [*columns, *(column for column in others if column is not None)]
            self.notes += unused_words(self.unknown, [self.frame[column] for column in meant])
        return cross([codes for codes, _ in found], [names for _, names in found])

    def _binned(self, column: str, unknown: Collection[str]) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
        """Return the range of each row's number, -1 without one, the names of the ranges, and notes on the numbers."""
        import pandas as pd

        edges = bin_edges(column, self._bins[column])
        of_row, different = self.distinct(column)
        values = pd.Series(different)[[str(value).strip() not in unknown for value in different]]
        separator = ";" if self.frame.attrs.get("separator") == ";" else ","  # a comma is decimal beside semicolons
        numbers = as_numbers(values, separator=separator, thousands=True)
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            row = int(np.flatnonzero(of_row == values.index[wrong[0]])[0])
            raise DataError(
                f"{self.where(row)}: column {column!r} has {values.iloc[wrong[0]]!r}, which is not a number; --bin "
                "needs numbers, so write it as one, name it with --unknown if it means unknown, or drop --bin to make "
                "each value a group"
            )
        codes = np.full(of_row.max(initial=-1) + 2, -1, np.int64)
        codes[values.index] = np.searchsorted(edges, numbers, side="right")
        names, rows = list(map(str, values)), np.bincount(of_row[of_row >= 0])[values.index].tolist()
        notes = _range_notes(
            column, edges, dict(zip(names, rows, strict=True)), dict(zip(names, numbers.tolist(), strict=True))
        )
        return codes[of_row], bin_names(edges), notes

    def where(self, row: int) -> str:
        """Return where a row is, for messages."""
        return place(self.path, row)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Return the different names in our order, also numbers with decimal commas; words for unknown after these."""
    found = in_order(names)
    known = [name for name in found if not means_unknown(name)]
    values = decimals(known)
    if values is None:
        return found
    return (*sorted(known, key=dict(zip(known, values, strict=True)).__getitem__), *filter(means_unknown, found))


def _one(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def _range_notes(
    column: str, edges: NDArray[np.float64], rows: Mapping[str, int], read: Mapping[str, float]
) -> list[str]:
    """Return notes on numbers that are cut into ranges: unusual ways to write them, and codes for unknown."""
    odd = [name for name in rows if _OTHER_SIGN.search(name)]
    notes = [f"In column {column!r}, {name!r} was read as {read[name]:.15g}" for name in odd[:1]]
    codes = codes_of_unknown(list(rows))
    if not codes:
        return notes
    ranges = np.searchsorted(edges, [read[code] for code in codes], side="right")
    shown = [
        f"{code!r} ({counted(rows[code], 'row')}) counts as {bin_names(edges)[at]!r}"
        for code, at in zip(codes, ranges.tolist(), strict=True)
    ]
    mean = "it means" if len(codes) == 1 else "they mean"
    return [*notes, f"In column {column!r}, {joined(shown)}; if {mean} unknown, add {unknown_option(codes)}"]


def group_notes(column: str, names: Sequence[str], rows: Sequence[int]) -> list[str]:
    """Return notes on the values of a group column: their spelling, and numbers that could be cut into ranges.

    Args:
        column: its name.
        names: the different values.
        rows: the number of rows of each.
    """
    notes = spelling_notes(names, rows, column=f"column {column!r}", kind="group")
    codes = codes_of_unknown(names)
    known = [
        (name, count) for name, count in zip(names, rows, strict=True) if name not in codes and not means_unknown(name)
    ]
    numbers = number_note(column, [name for name, _ in known], [count for _, count in known])
    return [*notes, *([numbers] if numbers else [])]


def cross(
    codes: Sequence[NDArray[np.int64]], names: Sequence[Sequence[str]]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Combine several group attributes into one: the combinations that occur; unknown if any attribute is unknown."""
    total, found = _without_gaps(codes[0])
    all_names = [names[0][code] for code in found]
    for code, more in zip(codes[1:], names[1:], strict=True):
        total, found = _without_gaps(np.where((total < 0) | (code < 0), -1, total * len(more) + code))
        all_names = [f"{all_names[pair // len(more)]}, {more[pair % len(more)]}" for pair in found]
    if len(set(all_names)) < len(all_names) and not any('"' in name for of_one in names for name in of_one):
        quoted = [[f'"{name}"' if ", " in name else name for name in of_one] for of_one in names]
        return cross(codes, quoted)  # of "a, b" and "c", or "a" and "b, c"
    return total, tuple(all_names)


def _without_gaps(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """Return codes renumbered from 0 in the same order, where -1 stays, and the codes that occur."""
    occurring = np.unique(codes[codes >= 0])
    return np.where(codes < 0, -1, np.searchsorted(occurring, codes)), occurring.tolist()


def reordered(
    codes: NDArray[np.int64], names: tuple[str, ...], order: str, *, where: Callable[[int], str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Renumber the classes in the order of the list ``order``, see :func:`names_in`."""
    wanted = listed_once(order)
    places = found_in(names, wanted)
    if places is None:
        name = next(name for name in names if name not in wanted)
        row = int(np.flatnonzero(codes == names.index(name))[0])
        raise DataError(
            f"{where(row)}: the class {name!r} is not in --classes {order}; put names that contain a comma in "
            "double quotes"
        )
    return np.array(places, np.int64)[codes], wanted


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; names that contain a comma or a line break are in double quotes.

    Raises:
        UsageError: for a line break outside double quotes.

    Example:
        >>> names_in('dog, "cat, wild"')
        ('dog', 'cat, wild')
    """
    try:
        lists = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    except csv.Error as error:
        raise UsageError(f"cannot read the list of names {text!r}: {error}") from None
    if len(lists) > 1:
        raise UsageError(f"the list of names {text!r} has a line break; put a name that contains one in double quotes")
    return tuple(lists[0]) if lists else ()


def listed_once(text: str, option: str = "--classes", one: str = "a class") -> tuple[str, ...]:
    """Return the different names that an option lists, see :func:`names_in`.

    Args:
        text: its value.
        option: what the user calls it.
        one: what a name is of.

    Raises:
        UsageError: if it names none, or one twice.

    Example:
        >>> listed_once("cat,cat")
        Traceback (most recent call last):
        fairdistill.errors.UsageError: --classes cat,cat names a class twice
    """
    names = names_in(text)
    if not all(name.strip() for name in names or ("",)):
        raise UsageError(f"expected {option} to list names, separated by commas, but got {text!r}")
    if len(set(names)) < len(names):
        raise UsageError(f"{option} {text} names {one} twice")
    return names


def classes_option(names: Sequence[str]) -> str:
    r"""Return the option that lists classes, as a shell needs it; :func:`names_in` reads its value.

    Example:
        >>> classes_option(["dog", "cat"]), classes_option(["-1", "1"]), classes_option(["dog", "cat, wild"])
        ('--classes dog,cat', '--classes=-1,1', '--classes \'dog,"cat, wild"\'')
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    value = shlex.quote(text.getvalue())
    return f"--classes={value}" if value.startswith("-") else f"--classes {value}"


def words_of(text: str | None) -> frozenset[str]:
    """Return the values of ``--unknown NA,?``, without surrounding blanks.

    Raises:
        UsageError: if the list is empty.

    Example:
        >>> sorted(words_of("NA, ?"))
        ['?', 'NA']
    """
    if text is None:
        return frozenset()
    words = frozenset(word.strip() for word in names_in(text) if word.strip()) if text.strip() else frozenset()
    if not words:
        raise UsageError(f"expected unknown to list values, for example NA,?, but got {text!r}")
    return words


def unused_words(words: Collection[str], columns: Sequence[Iterable[Any]]) -> list[str]:
    """Return a note if ``--unknown`` names values that no row has."""
    if not words:
        return []
    found = {str(value).strip() for column in columns for value in set(column)}
    unused = [word for word in sorted(words) if found.isdisjoint(_forms(word)) and word == _forms(word)[0]]
    return [f"No row has the group {', '.join(map(repr, unused))} that --unknown names"] if unused else []


def _forms(word: str) -> tuple[str, ...]:
    """Return a value and, of a whole number, its other form: pandas writes 999 as 999.0 beside missing values."""
    whole = word.removesuffix(".0")
    return (whole, f"{whole}.0") if whole.removeprefix("-").isdecimal() else (word,)
