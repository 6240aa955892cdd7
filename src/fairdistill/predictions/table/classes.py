"""The classes of a table of predictions: which labels, predictions and probability columns mean the same class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import some_of
from fairdistill.predictions.table.class_columns import Scores, matched_columns
from fairdistill.predictions.table.coded_classes import CodedClasses
from fairdistill.predictions.table.same_kind import agreement, check_same_kind
from fairdistill.tables.columns import Columns, listed_once
from fairdistill.tables.meaning import alike, found_in, no_first, plain
from fairdistill.tables.order import in_order, number, places

_MISSING = frozenset({"nan", "na", "n/a", "<na>", "none", "null", "nat"})  # among numbers alone


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Labels and predictions as indices of the same classes.

    Attributes:
        labels: int64 ``[N]``.
        predicted: int64 ``[N]``, or None.
        names: the classes.
        columns: the column of each class's probability, or a single one of two classes; empty without any.
        scored: the class whose score a single column holds.
        notes: readings that a user should know of.
    """

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64] | None
    names: tuple[str, ...]
    columns: tuple[str, ...]
    scored: int
    notes: tuple[str, ...]


def read_classes(table: Columns, *, label: str, pred: str | None, scores: Scores, classes: str | None) -> Classes:
    """Return labels and predictions as class indices, and the probability column of each class.

    Spellings that can mean only one class are read as that class.

    Args:
        table: its columns.
        label: the column of the true class.
        pred: the column of the predicted class.
        scores: the columns of probabilities.
        classes: all classes in order, comma-separated.

    Raises:
        UsageError: if ``--classes`` names a class twice.
        DataError: if a class is not in ``--classes``, labels and predictions share no class, or it is not clear which
            class a column belongs to.
    """
    given = _given(classes)
    notes: list[str] = []
    columns = [_column(table, label, "label")]
    if pred is not None:
        columns.append(_column(table, pred, "prediction"))
    if given:
        columns = [_as_listed(column, given, notes) for column in columns]
        if len(columns) == 2:
            columns[1] = _from_first(columns[1], columns[0], given, notes)
    elif len(columns) == 2:
        columns[1] = _as_labelled(columns[1], columns[0].names, notes)
        check_same_kind(table, *columns)
    seen = in_order(name for column in columns for name in column.names)
    if scores.single:
        seen = no_first(seen)
    _check_listed(table, columns, given)
    found = matched_columns(table.path, scores, given, seen)
    if len(found.classes) < 2:
        raise DataError(f"{table.path} has a single class, {found.classes[0]!r}; an audit needs at least two")
    return Classes(
        labels=columns[0].indices(found.classes),
        predicted=columns[1].indices(found.classes) if len(columns) == 2 else None,
        names=found.classes,
        columns=found.columns,
        scored=found.scored,
        notes=(*notes, *found.notes),
    )


def _given(classes: str | None) -> tuple[str, ...]:
    if classes is None:
        return ()
    order = plain(listed_once(classes))
    if len(set(order)) < len(order):
        raise UsageError(f"--classes {classes} names a class twice: 1 and 1.0 are the same")
    return order


def _column(table: Columns, name: str, role: str) -> CodedClasses:
    codes, names = table.codes(name, role)
    missing = [each for each in names if each.strip().casefold() in _MISSING]
    if missing and all(number(each) is not None for each in names if each not in missing):
        row = int(np.flatnonzero(codes == names.index(missing[0]))[0])
        raise DataError(
            f"{table.where(row)}: column {name!r} has {missing[0]!r}, all other values are numbers; every row needs a "
            f"{role}"
        )
    return CodedClasses(name, codes, names).renamed(dict(zip(names, plain(names), strict=True)))


def _as_listed(column: CodedClasses, given: tuple[str, ...], notes: list[str]) -> CodedClasses:
    """Return a column with the names of ``--classes``; whole numbers, and ``LABEL_0``, may be places in that list."""
    if set(column.names) <= set(given):
        return column
    found = found_in(column.names, given)
    if found is not None:
        return _respelled(column, {name: given[at] for name, at in zip(column.names, found, strict=True)}, notes)
    at = places(column.names)
    if at is None or set(column.names) & set(given) or max(at) >= len(given):
        return column
    return _respelled(column, {name: given[place] for name, place in zip(column.names, at, strict=True)}, notes)


def _from_first(
    predicted: CodedClasses, labels: CodedClasses, given: tuple[str, ...], notes: list[str]
) -> CodedClasses:
    """Return numbered predictions as places in ``--classes`` if the labels, numbers from 1, say that they are."""
    meant = {str(at): name for at, name in enumerate(given)}
    if (
        set(predicted.names) <= set(given)
        or not set(predicted.names) <= set(meant)
        or not set(labels.names) <= set(given)
    ):
        return predicted
    return _respelled(predicted, meant, notes) if agreement(labels, predicted, meant)[2] else predicted


def _as_labelled(column: CodedClasses, classes: Sequence[str], notes: list[str]) -> CodedClasses:
    """Return a column of predictions with the names of the labels where only one can be meant.

    A number beside the other one that means the same, as -1 beside 0, stands for something else.
    """
    known = frozenset(classes)
    meant = alike([name for name in column.names if name not in known], classes)
    different = [name for name, other in meant.items() if other is None]
    found = found_in(different, classes) if different else None
    if found is not None:
        pairs = {name: classes[at] for name, at in zip(different, found, strict=True)}
        own = {other for other in pairs.values() if other in column.names and number(other) is not None}
        meant |= {name: other for name, other in pairs.items() if other not in own or number(name) is None}
    return _respelled(column, {name: other for name, other in meant.items() if other is not None}, notes)


def _respelled(column: CodedClasses, meant: Mapping[str, str], notes: list[str]) -> CodedClasses:
    pairs = [f"{name!r} as {other!r}" for name, other in meant.items() if name != other and name in column.names]
    if pairs:
        notes.append(f"Column {column.name!r} was read with {some_of(pairs)}")
    return column.renamed(meant)


def _check_listed(table: Columns, columns: Sequence[CodedClasses], given: tuple[str, ...]) -> None:
    for column in columns:
        for name in column.names:
            if given and name not in given:
                is_place = number(name) is not None and all(number(each) is None for each in given)
                hint = f"; numbers are places in that list, 0 to {len(given) - 1}" if is_place else ""
                if number(name) is not None and not is_place:
                    hint = "; list every code there, also one that only predictions have, or number both columns alike"
                raise DataError(
                    f"{table.where(column.first(name))}: column {column.name!r} has the class {name!r}, which is not "
                    f"one of {some_of(given)}, the list of --classes{hint}"
                )
