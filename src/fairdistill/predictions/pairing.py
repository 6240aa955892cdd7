"""Two models on the same samples: their predictions in one order."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import Predictions, some_of
from fairdistill.tables.columns import classes_option
from fairdistill.tables.spelling import COMPARED, lookalikes
from fairdistill.text.numbers import counted

_LISTED = 12  # classes in a message
_EXTENSION = re.compile(r"[.][A-Za-z]{3,4}")


def paired(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Return two models' predictions for the same samples in the same order.

    Samples are matched by their ids; those that share one also by class and group, then in the order in which they
    occur. If neither model's samples have ids, they are matched by position.

    Raises:
        DataError: if their samples, classes or groups differ (the first difference is named), or only one has ids.
    """
    _check_names(first, second)
    if len(first) != len(second):
        missing = None if first.ids is None or second.ids is None else _unmatched(first, second, _codes(first, second))
        raise DataError(
            f"{first.where} has {len(first):,} rows, {second.where} has {len(second):,}"
            f"{f' ({missing})' if missing else ''}; a paired test needs the same samples"
        )
    if first.ids is not None and second.ids is not None:
        second = second.take(_matched(first, second))
    elif first.ids is not None or second.ids is not None:
        one, other = (first, second) if first.ids is not None else (second, first)
        raise DataError(
            f"{one.where} has sample ids and {other.where} has none, so their rows cannot be matched; a paired test "
            f"needs the same id column in both: add one to {other.where}, or give its column of ids the same name and "
            "name it with --id"
        )
    for kind, names in (("labels", first.class_names), ("groups", (*first.group_names, "unknown"))):
        own, others = getattr(first, kind), getattr(second, kind)
        differ = np.flatnonzero(own != others)
        if len(differ):
            row = int(differ[0])
            who = f"sample {row + 1}" if first.ids is None else str(first.ids[row])
            order = "" if first.ids is not None else " in the same order, or sample ids (--id)"
            raise DataError(
                f"{who} is {names[own[row]]} in {first.where} and {names[others[row]]} in {second.where}"
                f"{_more(len(differ) - 1)}; a paired test needs the same test set{order}"
            )
    return first, second


def pairing_note(first: Predictions, second: Predictions) -> str | None:
    """Return a note if two models are compared by the position of their rows, because there are no ids."""
    if first.ids is not None or second.ids is not None:
        return None
    return (
        f"The rows of {first.where} and {second.where} were paired by their position, because neither has ids; name a "
        "column of ids with --id if the order could differ"
    )


def _check_names(first: Predictions, second: Predictions) -> None:
    for kind in ("class_names", "group_names"):
        one, other = getattr(first, kind), getattr(second, kind)
        if one != other:
            what, remedy = ("classes", _one_list(one, other)) if kind == "class_names" else ("groups", "")
            raise DataError(
                f"{first.where} has the {what} {some_of(one)}, {second.where} has {some_of(other)}; a paired test "
                f"needs the same test set{remedy}"
            )


def _one_list(one: tuple[str, ...], other: tuple[str, ...]) -> str:
    """Return which ``--classes`` both may have: the longer list, if one model alone predicts more classes."""
    longer = max(one, other, key=len)
    if set(one) | set(other) == set(longer) and len(longer) <= _LISTED:
        return f"; if both models know all of these classes, add {classes_option(longer)}"
    return "; use the same --classes for both"


def _matched(first: Predictions, second: Predictions) -> NDArray[np.int64]:
    """Return the rows of the second that match those of the first by id; both have equally many."""
    for each in (first, second):
        empty = np.flatnonzero(each.ids == "")
        if len(empty):
            raise DataError(
                f"{each.where}: sample {int(empty[0]) + 1} has no id{_more(len(empty) - 1)}; a paired test needs one "
                "for every sample"
            )
    codes = _codes(first, second)
    missing = _unmatched(first, second, codes)
    if missing is not None:
        raise DataError(f"{missing}; a paired test needs the same samples")
    # Rows of one id meet in the order of their class, group and position.
    halves = ((first, codes.first), (second, codes.second))
    order = [np.lexsort((each.groups, each.labels, half)) for each, half in halves]
    match = np.empty(len(first), np.int64)
    match[order[0]] = order[1]
    return match


class _Codes(NamedTuple):
    """The ids of two models' samples as numbers, and the id of each number."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    names: NDArray[np.object_]


def _codes(first: Predictions, second: Predictions) -> _Codes:
    import pandas as pd

    assert first.ids is not None
    assert second.ids is not None
    codes, names = pd.factorize(np.concatenate([first.ids, second.ids]))
    return _Codes(codes[: len(first)], codes[len(first) :], names)


def _unmatched(first: Predictions, second: Predictions, codes: _Codes) -> str | None:
    """Return which ids do not occur equally often in both, None if all do."""
    names = codes.names
    times = np.bincount(codes.first, minlength=len(names)), np.bincount(codes.second, minlength=len(names))
    differ = np.flatnonzero(times[0] != times[1])
    if not len(differ):
        return None
    at = int(differ[0])
    one, other = (int(each[at]) for each in times)
    if one and other:
        here, there = counted(one, "time"), counted(other, "time")
        return f"{first.where} contains {names[at]!r} {here}, {second.where} {there}{_more(len(differ) - 1)}"
    mine, theirs = times if one else times[::-1]
    has, lacks = (first, second) if one else (second, first)
    more = _more(int(((mine > 0) & (theirs == 0)).sum()) - 1)
    alike = _alike(names[at], names[(theirs > 0) & (mine == 0)][:COMPARED].tolist())
    written = "" if alike is None else f"; there it is perhaps {alike!r}, so write ids alike in both tables"
    if alike is None and not ((mine > 0) & (theirs > 0)).any():
        written = "; they have no id in common, so if other columns hold the ids, name one with --id"
    return f"{has.where} contains {names[at]!r}, which {lacks.where} does not{more}{written}"


def _alike(name: str, others: list[str]) -> str | None:
    """Return the first of other ids that is perhaps another spelling of an id, as 7 is of 007; else the same file."""
    found = next((same for same in lookalikes([name, *others]) if name in same), None)
    if found is not None:
        return found[1]
    files = [other for other in others if _file(other) == _file(name)]
    return files[0] if len(files) == 1 else None


def _file(name: str) -> str:
    """Return the name of a file without its folders and the extension of an image."""
    last = PurePosixPath(name.replace("\\", "/"))
    return last.stem if _EXTENSION.fullmatch(last.suffix) else last.name


def _more(rows: int) -> str:
    return f" (and {rows:,} more)" if rows else ""
