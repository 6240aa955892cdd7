"""Probabilities as tables have them: rounded, or a hair below 0."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.predictions.rounding import SUM_TOLERANCE, explained
from fairdistill.tables.reading import place
from fairdistill.text.lists import listed
from fairdistill.text.numbers import counted

_SHOWN, _LISTED = 3, 12  # columns in a message
_MOST_OFF = 5  # from 100, the sum of percentages
_FEWEST = 10  # samples and 3 classes, for sorted probabilities to be no chance
_NOISE = 1e-6  # below 0 or above 1, from floating-point arithmetic


@dataclass(frozen=True)
class Probabilities:
    """The probabilities of N samples and C classes.

    Attributes:
        values: float64 ``[N, C]`` in [0, 1].
        notes: what a reader should know about them.
    """

    values: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def of_two(values: NDArray[np.float64], scored: int) -> NDArray[np.float64]:
    """Return the probabilities of two classes, float64 ``[N, 2]``, from those of class ``scored``."""
    pair = (1 - values, values) if scored == 1 else (values, 1 - values)
    return np.stack(pair, axis=1)


def of_one_column(path: Path, column: str, values: NDArray[np.float64], scored: int) -> NDArray[np.float64]:
    """Return the probabilities of two classes from the only column; an error names the first row outside [0, 1]."""
    wrong = np.flatnonzero((values < -_NOISE) | (values > 1 + _NOISE))
    if len(wrong):
        raise DataError(
            f"{place(path, int(wrong[0]))}: column {column!r} has {values[wrong[0]]:g}, which is not a probability; if "
            f"it is a percentage or another score, use --score {shlex.quote(column)} and the value that separates the "
            "classes with --threshold"
        )
    return of_two(values, scored)


def checked_probabilities(
    path: Path, columns: Sequence[str], values: NDArray[np.float64], known: NDArray[np.bool_] | None = None
) -> Probabilities:
    """Return probabilities; an error names the first row that does not hold any.

    Values that were rounded need not sum to 1: see :func:`.rounding.explained`. Percentages are divided by 100.

    Args:
        path: the table, for messages.
        columns: the name of each column.
        values: float64 ``[N, C]``.
        known: whether samples have the class of each column, bool ``[C]``; columns of other classes may be something
            else, which the errors say.

    Raises:
        DataError: if a value is below 0 or above 1, or a row does not sum to 1.
    """
    notes: list[str] = []
    if _are_percentages(values):
        values = values / 100
        notes.append("The probabilities sum to 100 and were divided by 100")
    wrong = np.argwhere((values < -_NOISE) | (values > 1 + _NOISE))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise DataError(
            f"{place(path, row)}: column {columns[min(column, len(columns) - 1)]!r} has {values[row, column]:g}, which "
            f"is not a probability; {_others(columns, known)}if these are logits, apply a softmax first, or give only "
            "the predicted classes with --pred"
        )
    sums = values.sum(axis=1)
    rounded = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    deviation = explained(values, rounded)
    off = rounded[np.abs(sums[rounded] - 1) > deviation.most]
    if len(off):
        row = int(off[0])
        more = f" (and {len(off) - 1:,} more)" if len(off) > 1 else ""
        raise DataError(
            f"{place(path, row)}: the probabilities sum to {sums[row]:.6g}, not 1{more}; {_others(columns, known)}list "
            "the columns of all classes, and no others, with --prob; if each class has a score of its own (one against "
            "the rest), give only the predicted classes with --pred"
        )
    values = np.clip(values, 0, 1)
    if len(rounded):
        values[rounded] /= values[rounded].sum(axis=1, keepdims=True)
        notes.append(
            f"The probabilities of {counted(len(rounded), 'sample')} sum to {sums.min():.4g} to {sums.max():.4g}, as "
            f"{deviation.reason} explains; they were scaled to sum to 1"
        )
    return Probabilities(values, tuple(notes))


def _others(columns: Sequence[str], known: NDArray[np.bool_] | None) -> str:
    """Return which columns are perhaps no probabilities, as the beginning of advice; nothing if all are of classes."""
    if known is None or known.all() or not known.any():
        return ""
    pairs = list(zip(columns, known.tolist(), strict=True))
    rest, kept = ([name for name, one in pairs if one is has] for has in (False, True))
    named = shlex.quote(",".join(kept)) if len(kept) <= _LISTED and "," not in "".join(kept) else "with the others"
    return f"no sample has the class of {listed([*map(repr, rest)], _SHOWN)}, so perhaps add --prob {named}; "


def _are_percentages(values: NDArray[np.float64]) -> bool:
    with np.errstate(over="ignore"):
        sums = values.sum(axis=1)
    return bool(
        (values >= -100 * _NOISE).all() and (values > 1 + _NOISE).any() and abs(np.median(sums) - 100) <= _MOST_OFF
    )


def ties(values: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a note if there are samples with several classes that are most probable, as rounding makes them."""
    tied = int(((values == values.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    if not tied:
        return ()
    where = counted(tied, "sample")
    return (f"In {where} several classes are the most probable; the first of them counts as predicted",)


def sorted_note(columns: Sequence[str], values: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a note if the probabilities of every sample fall from column to column, as those of a top-k list do.

    Example:
        >>> falling = np.sort(np.random.default_rng(0).dirichlet(np.ones(3), 20))[:, ::-1]
        >>> sorted_note(["p1", "p2", "p3"], falling)[0][:52], sorted_note(["p1", "p2", "p3"], falling[:, ::-1])
        ('In every sample the probabilities fall from p1 to p3', ())
    """
    if values.shape[1] < 3 or len(values) < _FEWEST:
        return ()
    if any((np.diff(rows, axis=1) > 0).any() for rows in (values[:_FEWEST], values)):  # mostly the first rows tell
        return ()
    if (values == values[0]).all():
        return ()  # a constant model
    return (
        f"In every sample the probabilities fall from {columns[0]} to {columns[-1]}, as if each row was sorted; a "
        "column must hold the probability of one class, the same in every row, so if these belong to the most probable "
        "classes, give only the predicted classes with --pred",
    )
