"""How far from 1 probabilities may sum because their last digits were rounded or cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SUM_TOLERANCE = 1e-3
_SAMPLED = 2_000  # rows, from which the number of decimals is found
_MOST_DIGITS = 5
_FLOAT32 = 6e-8  # half a unit in the last place of a float32
_BFLOAT16 = 2.0**-9
_EXACT = 1e-5  # a sum that differs by less is neither below nor above 1
_MOST_CUT = 0.25  # where cutting off decimals could explain more, a class that is left out would look the same
_MOST = 0.9  # so that a row of zeros is never rounding


_Digits = int | NDArray[np.float64]


@dataclass(frozen=True)
class Deviation:
    """How far from 1 the sums of some rows may be.

    Attributes:
        most: float64 ``[M]``, the most that the digits of each row explain.
        reason: what explains it, for a note.
    """

    most: NDArray[np.float64]
    reason: str = "rounding"


def explained(values: NDArray[np.float64], rows: NDArray[np.int64]) -> Deviation:
    """Return how far from 1 the sums of these rows may be.

    Rounding explains half a unit of the last place for each class. If nearly all rows of a file sum to less than 1, its
    decimals were cut off, and if to more, rounded up, which explains twice as much on that side. The last place is that
    of the row or of most rows in the file, whichever is finer.

    Args:
        values: probabilities, float64 ``[N, C]``.
        rows: int64 ``[M]``.
    """
    if not len(rows):
        return Deviation(np.zeros(0))
    inner = values[rows]
    sample = _open(values)[:: max(1, len(values) // _SAMPLED)]
    unit = np.zeros(len(rows))
    for decimals_of in (_same, _decimals):
        digits = np.maximum(_finest(inner, decimals_of), np.median(_finest(sample, decimals_of)))
        last = 10.0 ** -decimals_of(inner, np.ceil(digits)[:, None])
        unit = np.maximum(unit, np.where(digits > _MOST_DIGITS, 0, last.sum(axis=1)))
    if _are_bfloat16(sample).mean() > 0.5:
        unit = np.maximum(unit, np.where(_are_bfloat16(inner), 2 * _BFLOAT16 * inner.sum(axis=1), 0))
    half, whole = (np.maximum(SUM_TOLERANCE, part * unit) * (1 + 1e-6) + 1e-9 for part in (0.5, 1))
    sums = inner.sum(axis=1)
    side = _one_sided(_open(values).sum(axis=1))
    cut = ((sums - 1) * side > 0) & (whole <= _MOST_CUT)
    needed = bool((cut & (np.abs(sums - 1) > half)).any())
    reason = "rounding" if not needed else "cutting off decimals" if side < 0 else "rounding up"
    return Deviation(np.minimum(np.where(cut, whole, half), _MOST), reason)


def _open(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows without a 1, which has no digits to judge by; all rows if there are none."""
    rows = values[values.max(axis=1) < 1]
    return rows if len(rows) else values


def _one_sided(sums: NDArray[np.float64]) -> int:
    """Return -1 if most sums are below 1 and hardly any above, 1 if it is the other way round, else 0."""
    low, high = float((sums < 1 - _EXACT).mean()), float((sums > 1 + _EXACT).mean())
    return -1 if low > 0.5 and high <= 0.01 else 1 if high > 0.5 and low <= 0.01 else 0


def _finest(
    values: NDArray[np.float64], decimals_of: Callable[[NDArray[np.float64], _Digits], NDArray[np.float64]]
) -> NDArray[np.int64]:
    """Return how many digits each row is rounded to, int64 ``[M]``; more than ``_MOST_DIGITS`` if it is not."""
    found = np.full(len(values), _MOST_DIGITS + 1)
    for digits in range(_MOST_DIGITS, 0, -1):
        scaled = values * 10.0 ** decimals_of(values, digits)
        wrong = np.abs(scaled - np.round(scaled)) > np.maximum(_FLOAT32 * np.abs(scaled), 1e-9)
        found[~wrong.any(axis=1)] = digits
    return found


def _same(values: NDArray[np.float64], digits: _Digits) -> NDArray[np.float64]:
    """Return at which decimal each value ends if it has so many decimals."""
    return np.broadcast_to(np.asarray(digits, np.float64), values.shape)


def _decimals(values: NDArray[np.float64], digits: _Digits) -> NDArray[np.float64]:
    """Return at which decimal each value ends if it has so many significant digits."""
    return digits - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-30)) + 1e-9)


def _are_bfloat16(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((np.float32(values).view(np.uint32) & 0xFFFF == 0).all(axis=1))
