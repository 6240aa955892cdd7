"""The probability columns of a table's classes, or an error that says which classes they could mean."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import some_of
from fairdistill.predictions.table.matching import class_of_column, columns_by_name, contradiction
from fairdistill.tables.columns import classes_option
from fairdistill.tables.meaning import first_alike
from fairdistill.text.lists import listed

_SHOWN = 12
_COMPARED = 100  # classes and columns of which every pair is compared


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The columns of a table that hold scores.

    Attributes:
        columns: their names; none if the table has predicted classes alone.
        prefix: what the names begin with, if the user says so.
        single: whether the only column is a score of one of two classes, as the user says.
    """

    columns: tuple[str, ...] = ()
    prefix: str = ""
    single: bool = False


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Classes and the columns of their scores.

    Attributes:
        classes: the classes in order.
        columns: the column of each class, or the only column of two classes; empty without any.
        scored: the class that an only column is the score of.
        notes: how the columns were assigned.
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...] = ()
    scored: int = 1
    notes: tuple[str, ...] = ()


def matched_columns(path: Path, scores: Scores, given: tuple[str, ...], seen: tuple[str, ...]) -> Matched:
    """Return the column of each class.

    Args:
        path: the table, for messages.
        scores: the columns.
        given: the classes of ``--classes``; empty without.
        seen: the classes of the labels and predictions.

    Raises:
        DataError: if the names do not say which column belongs to which class, and there is no ``--classes``.
    """
    classes = given or seen
    if not scores.columns:
        return Matched(classes=classes)
    if len(scores.columns) == 1 and len(classes) == 2:
        return _single(path, scores, given, classes)
    if scores.single:
        raise DataError(
            f"{path}: --score needs two classes, but there are {len(classes)}: {some_of(classes)}; name a column of "
            "probabilities for each class with --prob, or keep only the rows of two classes"
        )
    found = columns_by_name(scores.columns, classes, prefix=scores.prefix)
    if found is not None and not given:
        return _matched("by name", found.classes, found.columns)
    if len(scores.columns) != len(classes):
        raise DataError(_counts(path, scores, classes))
    if found is not None:
        columns = tuple(found.columns[found.classes.index(name)] for name in classes)
        return _matched("by name", classes, columns)
    if not given:
        raise DataError(_unclear(path, scores.columns, classes))
    odd = contradiction(scores.columns, classes, prefix=scores.prefix) if len(classes) <= _COMPARED else None
    if odd is not None:
        raise DataError(
            f"{path}: {classes_option(classes)} assigns the column {odd[0]!r} to "
            f"{classes[scores.columns.index(odd[0])]!r}, but its name says {odd[1]!r}; list the classes in the order "
            f"of the columns {some_of(scores.columns)}"
        )
    return _matched("in the order of --classes", classes, scores.columns)


def _single(path: Path, scores: Scores, given: tuple[str, ...], classes: tuple[str, ...]) -> Matched:
    """Return two classes of which one column holds the score: of the class it is named after, else of the second."""
    column = scores.columns[0]
    named = class_of_column(column, classes, prefix=scores.prefix)
    if scores.single and (given or named is None):
        return Matched(classes=classes, columns=scores.columns)
    if named is None:
        raise DataError(
            f"{path} has a single probability column, {column!r}, which is not named after a class "
            f"({some_of(classes)}); if it is the probability of {classes[1]!r}, use --score {shlex.quote(column)}"
        )
    other = next(name for name in classes if name != named)
    note = f"The column {column!r} is read as the probability of {named!r}; {other!r} has the rest"
    return Matched(
        classes=classes, columns=scores.columns, scored=classes.index(named), notes=() if scores.single else (note,)
    )


def _matched(how: str, classes: tuple[str, ...], columns: tuple[str, ...]) -> Matched:
    note = f"Probability columns, assigned {how}: {_pairs(classes, columns)}"
    return Matched(classes=classes, columns=columns, notes=(note,))


def _pairs(classes: Sequence[str], columns: Sequence[str]) -> str:
    pairs = [f"{name} = {column}" for name, column in zip(classes, columns, strict=False)]
    return listed(pairs, _SHOWN)


def _counts(path: Path, scores: Scores, classes: tuple[str, ...]) -> str:
    columns = f"{len(scores.columns)} probability column{'' if len(scores.columns) == 1 else 's'}"
    text = f"{path} has {columns} ({some_of(scores.columns)}) for {len(classes)} classes ({some_of(classes)})"
    missing = []
    if len(classes) <= _COMPARED:
        missing = [n for n in classes if columns_by_name(scores.columns, [n], prefix=scores.prefix) is None]
    if missing and len(missing) < len(classes):
        text += f"; no column is named after {', '.join(map(repr, missing[:5]))}"
    same = first_alike(classes)
    if same is not None:
        return f"{text}; write {same[0]!r} and {same[1]!r} alike if they are the same class"
    return f"{text}; name the columns of all classes with --prob, and the classes in their order with --classes"


def _unclear(path: Path, columns: Sequence[str], classes: Sequence[str]) -> str:
    return (
        f"{path}: the names of the probability columns ({some_of(columns)}) do not say which class each belongs "
        f"to ({some_of(classes)}). If {_pairs(classes, columns)}, add {classes_option(classes)}; otherwise "
        "list the classes there in the order of the columns"
    )
