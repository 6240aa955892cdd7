"""Whether labels and predictions are classes of the same kind, or an error that says what they seem to be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import numpy as np

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import some_of
from fairdistill.predictions.table.coded_classes import CodedClasses
from fairdistill.tables.columns import Columns, classes_option
from fairdistill.tables.meaning import is_fraction, no_first
from fairdistill.tables.order import in_order, number, places
from fairdistill.tables.printed import unprinted
from fairdistill.text.lists import listed
from fairdistill.text.numbers import percentage

_TWO_NUMBERS = ({"0", "1"}, {"-1", "1"})
_MOST_OTHERS = 10  # numbers that a model may predict, for some samples, though none of two numbered classes has them
_MOST_FRACTIONS = 50  # decimal numbers that may be names of classes
_SHOWN = 8
_MORE_RIGHT = 10  # samples, for another reading of predictions to be better
_LOOKED_AT = 500  # characters of a value
_LIST = re.compile(r"(tensor|array)?[\[({].*\d[^\d.eE]*[\s,;:]\D*\d.*", re.DOTALL)
_NUMBERED = re.compile(r"(\D*)(\d+)")


def check_same_kind(table: Columns, labels: CodedClasses, predicted: CodedClasses) -> None:
    """Raise a DataError if predictions cannot be classes of the labels.

    They share no class, one of the two holds other numbers than classes, or they are numbered from different starts.
    """
    _check_lists(table, labels, predicted)
    _check_quantities(table, labels, predicted)
    for one, other in ((predicted, labels), (labels, predicted)):
        fractions = np.array([_is_share(name) for name in one.names])
        if fractions.any() and not any(_is_share(name) for name in other.names):
            row = int(np.flatnonzero(fractions[one.codes])[0])
            raise DataError(
                f"{table.where(row)}: column {one.name!r} has {one.names[one.codes[row]]}, which is not one of the "
                f"classes {some_of(other.names)}; {_remedy(one, labels)}"
            )
    _check_start(table, labels, predicted)
    if set(labels.names) & set(predicted.names):
        _check_one_sided(table, labels, predicted)
        return
    given = f"labels ({some_of(labels.names)}) and predictions ({some_of(predicted.names)}) share no value"
    remedy = "spell the classes the same way in both columns"
    ways = ((predicted.names, labels.names), (labels.names, predicted.names))
    for numbers, names in sorted(ways, key=lambda way: all(map(str.isdecimal, way[0]))):  # plain numbers decide, last
        at = places(numbers)
        if at is not None and max(at) < len(names) <= max(_SHOWN, 2 * len(numbers)):
            written = dict(zip(at, numbers, strict=True))
            meant = listed([f"{written.get(place, place)} = {name}" for place, name in enumerate(names)], _SHOWN)
            option = classes_option(names) if len(names) <= _SHOWN else "--classes with all of them in this order"
            remedy = f"if {meant}, add {option}; else list them in another order"
    raise DataError(f"{table.path}: {given}; {remedy}")


def _check_quantities(table: Columns, labels: CodedClasses, predicted: CodedClasses) -> None:
    """Raise a DataError if predictions of two numbered classes are whole scores, or labels measure something."""
    measured = [name for name in labels.names if is_fraction(name)]
    if len(measured) > _MOST_FRACTIONS and 2 * len(measured) > len(labels.names):
        raise DataError(
            f"{table.where(labels.first(measured[0]))}: column {labels.name!r} has {measured[0]}, one of "
            f"{len(labels.names):,} different numbers, which seem to measure something; an audit needs classes, so cut "
            "the labels and the predictions into ranges, or name the column of true classes with --label"
        )
    others = _others(labels, predicted)
    values = [number(name) for name in others]
    if set(labels.names) not in _TWO_NUMBERS or len(others) < 2 or None in values:
        return
    rows = np.isin(predicted.codes, [predicted.names.index(name) for name in others]).mean()
    scores = rows > 0.5 and all(isinstance(value, int) for value in values)
    if len(others) > _MOST_OTHERS or scores:
        raise DataError(
            f"{table.where(predicted.first(others[0]))}: column {predicted.name!r} has {others[0]}, one of "
            f"{len(others):,} values that are not among the classes {some_of(labels.names)}; "
            f"{_remedy(predicted, labels)}"
        )


def _others(labels: CodedClasses, predicted: CodedClasses) -> list[str]:
    """Return the predictions that are not among the labels."""
    known = frozenset(labels.names)
    return [name for name in predicted.names if name not in known]


def _remedy(column: CodedClasses, labels: CodedClasses) -> str:
    if column is labels:
        return "name the column of true classes with --label"
    if len(labels.names) != 2:
        return "name the column of predicted classes with --pred, or one column of probabilities per class with --prob"
    numbers = [_share(name) for name in column.names]
    what = "probability" if all(n is not None and 0 <= n <= 1 for n in numbers) else "score"
    threshold = "" if what == "probability" else " and the value that separates the classes with --threshold"
    confident = what == "probability" and all(n is not None and n >= 0.5 for n in numbers)
    sure = "if it is the confidence in the predicted class, name the column of predicted classes with --pred; "
    text = f"if it is the {what} of {no_first(labels.names)[1]!r}, use --score {shlex.quote(column.name)}{threshold}"
    return sure + text if confident else text


def _share(name: str) -> float | None:
    """Return the number that a text is, also with a percent sign or a decimal comma."""
    text = (unprinted(name) or name).strip()
    value = number(text.removesuffix("%").strip().replace(",", ".", 1))
    return value / 100 if value is not None and text.endswith("%") else value


def _is_share(name: str) -> bool:
    return is_fraction(unprinted(name) or name) or (name.strip().endswith("%") and _share(name) is not None)


def _check_lists(table: Columns, labels: CodedClasses, predicted: CodedClasses) -> None:
    """Raise a DataError if predictions are lists of numbers, such as ``[0.1 0.2 0.7]``."""
    lists = [name for name in _others(labels, predicted) if _LIST.fullmatch(name.strip()[:_LOOKED_AT])]
    if 2 * len(lists) > len(predicted.names):
        text = " ".join(lists[0].split())[:60]
        raise DataError(
            f"{table.where(predicted.first(lists[0]))}: column {predicted.name!r} has {text}, several numbers in one "
            "field; if they are probabilities, write a column for each class (p_NAME) and name them with --prob"
        )


def agreement(labels: CodedClasses, predicted: CodedClasses, meant: Mapping[str, str]) -> tuple[int, int, bool]:
    """Return how many labels agree with predictions as written and read in another way, and whether this is better."""
    written, other = _agreement(labels, predicted), _agreement(labels, predicted.renamed(meant))
    return written, other, other - written >= _MORE_RIGHT


def _agreement(labels: CodedClasses, predicted: CodedClasses) -> int:
    order = [*dict.fromkeys((*labels.names, *predicted.names))]
    return int((labels.indices(order) == predicted.indices(order)).sum())


def _check_start(table: Columns, labels: CodedClasses, predicted: CodedClasses) -> None:
    """Raise a DataError if labels are numbered from 1 and predictions from 0, or the other way round."""
    if set(predicted.names) <= set(labels.names):
        return
    for step, how in ((1, "higher"), (-1, "lower")):
        meant = {name: _moved(name, step) for name in predicted.names}
        if not set(meant.values()) <= set(labels.names):
            continue
        written, other, better = agreement(labels, predicted, meant)
        if better and other >= 2 * written:
            rows, every = len(labels.codes), in_order((*labels.names, *predicted.names))
            ways = ["add 1 to the predictions", "subtract 1 from the labels"]
            if step < 0:
                ways = ["subtract 1 from the predictions", "add 1 to the labels"]
            option = classes_option(every) if len(every) <= _SHOWN else "--classes with all codes of both columns"
            raise DataError(
                f"{table.path}: labels ({some_of(labels.names)}) and predictions ({some_of(predicted.names)}) seem to "
                f"be numbered from different starts: {percentage(written / rows)} of them agree as written, and "
                f"{percentage(other / rows)} if predictions are read one {how}; {' or '.join(ways)}, or, if they are "
                f"right as written, add {option}"
            )


def _check_one_sided(table: Columns, labels: CodedClasses, predicted: CodedClasses) -> None:
    """Raise a DataError if most samples of a class that is never predicted are predicted as one that no sample has."""
    unseen, never = (frozenset(_others(*pair)) for pair in ((labels, predicted), (predicted, labels)))
    if not unseen or not never:
        return
    rows = np.bincount(labels.codes, minlength=len(labels.names))
    for label in (label for label, name in enumerate(labels.names) if name in never and rows[label] >= _MORE_RIGHT):
        times = np.bincount(predicted.codes[labels.codes == label], minlength=len(predicted.names))
        most, name = predicted.names[int(times.argmax())], labels.names[label]
        if most in unseen and times.max() >= _MORE_RIGHT and 2 * times.max() > times.sum():
            every = in_order((*labels.names, *predicted.names))
            option = classes_option(every) if len(every) <= _SHOWN else "--classes with the classes of both columns"
            raise DataError(
                f"{table.path}: {name!r} is never predicted and no sample has the label {most!r}, but {times.max():,} "
                f"of {times.sum():,} samples of {name!r} are predicted {most!r}; write them alike if they are the same "
                f"class, else add {option}"
            )


def _moved(name: str, step: int) -> str:
    """Return a name that is a number, or a text that ends in one, with the next or the previous number."""
    value = number(name)
    if isinstance(value, int):
        return str(value + step)
    parts = _NUMBERED.fullmatch(name)
    return name if parts is None else f"{parts[1]}{int(parts[2]) + step}"
