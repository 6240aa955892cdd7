"""The kinds of arrays that statistics are made of, and what many of them compute from these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-12

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def divided(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Return ``part / whole``; NaN where there is nothing to divide by.

    Example:
        >>> divided(np.array([1, 0]), np.array([4, 0])).tolist()
        [0.25, nan]
    """
    return np.asarray(part / np.where(whole > 1e-9, whole, np.nan))


def spread(shares: Floats) -> Floats:
    """Return the largest minus the smallest over the groups, ``[..., G, K]`` to ``[..., K]``.

    NaN if one is NaN, or if there are no groups.
    """
    if not shares.shape[-2]:
        return np.full((*shares.shape[:-2], shares.shape[-1]), np.nan)
    return np.asarray(shares.max(axis=-2) - shares.min(axis=-2))


def empirical_p_value(value: float, drawn: Floats) -> float:
    """Return the p-value of an observed value among values drawn by chance: (1 + those not below it) / (1 + all).

    Example:
        >>> empirical_p_value(0.3, np.array([0.1, 0.3, 0.2]))
        0.5
    """
    return float((1 + (drawn >= value - _ROUNDING).sum()) / (1 + len(drawn)))
