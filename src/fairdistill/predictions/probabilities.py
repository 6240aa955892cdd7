"""Probabilities as tables have them: rounded, or a hair below 0."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.tables.reading import place

_SUM_TOLERANCE = 1e-3
_NOISE = 1e-6  # below 0 or above 1, from floating-point arithmetic
_SAMPLED = 2_000  # rows, from which the number of decimals is found
_MOST_DIGITS = 5
_FLOAT32 = 6e-8  # half a unit in the last place of a float32
_BFLOAT16 = 2.0**-9


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


def checked_probabilities(path: Path, columns: Sequence[str], values: NDArray[np.float64]) -> Probabilities:
    """Return probabilities; an error names the first row that does not hold any.

    Values that were rounded need not sum to 1: the sum may be off by half a unit of the last decimal, or of the last
    significant digit, for each class. Percentages are divided by 100.

    Args:
        path: the table, for messages.
        columns: the name of each column.
        values: float64 ``[N, C]``.

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
            "is not a probability; if these are logits, apply a softmax first, or give only the predicted classes with "
            "--pred"
        )
    sums = values.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
    if len(off):
        off = off[np.abs(sums[off] - 1) > _rounding(values, off)]
    if len(off):
        row = int(off[0])
        more = f" (and {len(off) - 1:,} more)" if len(off) > 1 else ""
        raise DataError(
            f"{place(path, row)}: the probabilities sum to {sums[row]:.6g}, not 1{more}; list the columns of all "
            "classes, and no others, with --prob; if each class has a score of its own (one against the rest), give "
            "only the predicted classes with --pred"
        )
    values = np.clip(values, 0, 1)
    rounded = np.abs(values.sum(axis=1) - 1) > _SUM_TOLERANCE
    if rounded.any():
        values[rounded] /= values[rounded].sum(axis=1, keepdims=True)
        notes.append(
            f"The probabilities of {_samples(int(rounded.sum()))} sum to {sums.min():.4g} to {sums.max():.4g}, as "
            "rounding explains; they were scaled to sum to 1"
        )
    return Probabilities(values, tuple(notes))


def _are_percentages(values: NDArray[np.float64]) -> bool:
    sums = values.sum(axis=1)
    return bool((values >= -100 * _NOISE).all() and (values > 1 + _NOISE).any() and (np.abs(sums - 100) <= 5).all())


def _rounding(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far from 1 the sum of each of these rows may be: the most that rounding its values explains."""
    sample = np.concatenate([values[:_SAMPLED], values[rows[:_SAMPLED]]])
    inner, bound = values[rows], np.full(len(rows), _SUM_TOLERANCE)
    for decimals in range(1, _MOST_DIGITS + 1):
        if _all_rounded(sample, np.full(sample.shape, float(decimals))):
            bound = np.maximum(bound, 0.5 * 10.0**-decimals * values.shape[1])
            break
    for digits in range(1, _MOST_DIGITS + 1):
        if _all_rounded(sample, _decimals(sample, digits)):
            bound = np.maximum(bound, (0.5 * 10.0 ** -_decimals(inner, digits)).sum(axis=1))
            break
    if (np.float32(sample).view(np.uint32) & 0xFFFF == 0).all():
        bound = np.maximum(bound, _BFLOAT16 * inner.sum(axis=1))
    return bound * (1 + 1e-6) + 1e-9


def _decimals(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Return at which decimal each value ends if it has so many significant digits."""
    return digits - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-30)) + 1e-9)


def _all_rounded(values: NDArray[np.float64], decimals: NDArray[np.float64]) -> bool:
    scaled = values * 10.0**decimals
    return bool((np.abs(scaled - np.round(scaled)) <= np.maximum(_FLOAT32 * np.abs(scaled), 1e-9)).all())


def ties(values: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a note if there are samples with several classes that are most probable, as rounding makes them."""
    tied = int(((values == values.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    if not tied:
        return ()
    return (f"In {_samples(tied)} several classes are the most probable; the first of them counts as predicted",)


def _samples(number: int) -> str:
    return f"{number:,} sample{'' if number == 1 else 's'}"
