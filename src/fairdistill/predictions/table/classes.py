"""The classes of a table of predictions: which labels, predictions and probability columns mean the same class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import some_of
from fairdistill.predictions.table.class_columns import Scores, matched_columns
from fairdistill.tables.columns import Columns, classes_option, listed
from fairdistill.tables.meaning import alike, found_in, is_fraction, plain
from fairdistill.tables.order import in_order, number

_MISSING = frozenset({"nan", "na", "n/a", "<na>", "none", "null", "nat"})  # among numbers alone
_TWO_NUMBERS = ({"0", "1"}, {"-1", "1"})
_MOST_OTHERS = 10  # numbers that a model may predict though no sample of two numbered classes has them
_MOST_FRACTIONS = 50  # decimal numbers that may be names of classes


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


@dataclass(frozen=True)
class _Column:
    """A column of classes as codes, and the class that each code means."""

    name: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def first(self, name: str) -> int:
        """Return the first row that has a class."""
        return int(np.flatnonzero(self.codes == self.names.index(name))[0])

    def indices(self, order: Sequence[str]) -> NDArray[np.int64]:
        return np.array([order.index(name) for name in self.names], np.int64)[self.codes]

    def renamed(self, meant: Mapping[str, str]) -> _Column:
        """Return the column with other names for some of its classes; two of them may become one."""
        names = tuple(dict.fromkeys(meant.get(name, name) for name in self.names))
        place = np.array([names.index(meant.get(name, name)) for name in self.names], np.int64)
        return _Column(self.name, place[self.codes], names)


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
    elif len(columns) == 2:
        columns[1] = _as_labelled(columns[1], columns[0].names, notes)
        _check_shared(table, *columns)
    seen = in_order(name for column in columns for name in column.names)
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
    order = () if classes is None else plain(listed(classes))
    if classes is not None and not all(name.strip() for name in order or ("",)):
        raise UsageError(f"expected --classes to list class names, separated by commas, but got {classes!r}")
    if len(set(order)) != len(order):
        raise UsageError(f"--classes {classes} names a class twice")
    return order


def _column(table: Columns, name: str, role: str) -> _Column:
    codes, names = table.codes(name, role)
    missing = [each for each in names if each.strip().casefold() in _MISSING]
    if missing and all(number(each) is not None for each in names if each not in missing):
        row = int(np.flatnonzero(codes == names.index(missing[0]))[0])
        raise DataError(
            f"{table.where(row)}: column {name!r} has {missing[0]!r}, all other values are numbers; every row needs a "
            f"{role}"
        )
    return _Column(name, codes, names).renamed(dict(zip(names, plain(names), strict=True)))


def _as_listed(column: _Column, given: tuple[str, ...], notes: list[str]) -> _Column:
    """Return a column with the names of ``--classes``; whole numbers may be places in that list."""
    if set(column.names) <= set(given):
        return column
    places = found_in(column.names, given)
    if places is not None:
        return _respelled(column, {name: given[at] for name, at in zip(column.names, places, strict=True)}, notes)
    numbers = [number(name) for name in column.names]
    if set(column.names) & set(given) or not all(isinstance(n, int) and 0 <= n < len(given) for n in numbers):
        return column
    return _respelled(column, {name: given[int(name)] for name in column.names}, notes)


def _as_labelled(column: _Column, classes: Sequence[str], notes: list[str]) -> _Column:
    """Return a column of predictions with the names of the labels where only one can be meant."""
    meant = {name: alike(name, classes) for name in column.names if name not in classes}
    different = [name for name, found in meant.items() if found is None]
    places = found_in(different, classes) if different else None
    if places is not None:
        meant |= {name: classes[at] for name, at in zip(different, places, strict=True)}
    return _respelled(column, {name: found for name, found in meant.items() if found is not None}, notes)


def _respelled(column: _Column, meant: Mapping[str, str], notes: list[str]) -> _Column:
    pairs = [f"{name!r} as {other!r}" for name, other in meant.items() if name != other]
    if pairs:
        notes.append(f"Column {column.name!r} was read with {some_of(pairs)}")
    return column.renamed(meant)


def _check_listed(table: Columns, columns: Sequence[_Column], given: tuple[str, ...]) -> None:
    for column in columns:
        for name in column.names:
            if given and name not in given:
                places = number(name) is not None and all(number(each) is None for each in given)
                hint = f"; numbers are places in that list, 0 to {len(given) - 1}" if places else ""
                raise DataError(
                    f"{table.where(column.first(name))}: column {column.name!r} has the class {name!r}, which is not "
                    f"one of {some_of(given)}, the list of --classes{hint}"
                )


def _check_shared(table: Columns, labels: _Column, predicted: _Column) -> None:
    """Raise a DataError if labels and predictions share no class, or one of them holds other numbers than classes."""
    _check_quantities(table, labels, predicted)
    for one, other in ((predicted, labels), (labels, predicted)):
        fractions = np.array([is_fraction(name) for name in one.names])
        if fractions.any() and not any(is_fraction(name) for name in other.names):
            row = int(np.flatnonzero(fractions[one.codes])[0])
            raise DataError(
                f"{table.where(row)}: column {one.name!r} has {one.names[one.codes[row]]}, which is not one of the "
                f"classes {some_of(other.names)}; {_remedy(one, labels)}"
            )
    if set(labels.names) & set(predicted.names):
        return
    given = f"labels ({some_of(labels.names)}) and predictions ({some_of(predicted.names)}) share no value"
    remedy = "spell the classes the same way in both columns"
    for numbers, names in ((predicted.names, labels.names), (labels.names, predicted.names)):
        if set(numbers) <= set(map(str, range(len(names)))):
            meant = ", ".join(f"{at} = {name}" for at, name in enumerate(names))
            remedy = f"if {meant}, add {classes_option(names)}; else list them in another order"
    raise DataError(f"{table.path}: {given}; {remedy}")


def _check_quantities(table: Columns, labels: _Column, predicted: _Column) -> None:
    """Raise a DataError if predictions of two numbered classes are whole scores, or labels measure something."""
    measured = [name for name in labels.names if is_fraction(name)]
    if len(measured) > _MOST_FRACTIONS and 2 * len(measured) > len(labels.names):
        raise DataError(
            f"{table.where(labels.first(measured[0]))}: column {labels.name!r} has {measured[0]}, one of "
            f"{len(labels.names):,} different numbers, which seem to measure something; an audit needs classes, so cut "
            "the labels and the predictions into ranges, or name the column of true classes with --label"
        )
    others = [name for name in predicted.names if name not in labels.names]
    if set(labels.names) in _TWO_NUMBERS and len(others) > _MOST_OTHERS and all(number(n) is not None for n in others):
        raise DataError(
            f"{table.where(predicted.first(others[0]))}: column {predicted.name!r} has {others[0]}, one of "
            f"{len(others):,} values that are not among the classes {some_of(labels.names)}; "
            f"{_remedy(predicted, labels)}"
        )


def _remedy(column: _Column, labels: _Column) -> str:
    if column is labels:
        return "name the column of true classes with --label"
    if len(labels.names) != 2:
        return "name the column of predicted classes with --pred, or one column of probabilities per class with --prob"
    numbers = [number(name) for name in column.names]
    what = "probability" if all(n is not None and 0 <= n <= 1 for n in numbers) else "score"
    threshold = "" if what == "probability" else " and the value that separates the classes with --threshold"
    return f"if it is the {what} of {labels.names[1]!r}, use --score {column.name}{threshold}"
