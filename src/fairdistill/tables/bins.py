"""Ranges that a column of numbers is cut into, as ``--bin age=20,40`` names them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import UsageError


def check_bins(bins: Mapping[str, str], columns: Sequence[str], what: str) -> None:
    """Raise a UsageError if ``--bin`` names a column that is not one of ``columns``; ``what`` describes them.

    Example:
        >>> check_bins({"ages": "20,40"}, ["age"], "group columns")
        Traceback (most recent call last):
        fairdistill.errors.UsageError: --bin ages: only the group columns can be binned: age
    """
    for column in bins:
        if column not in columns:
            raise UsageError(f"--bin {column}: only the {what} can be binned: {', '.join(columns)}")


def bin_edges(column: str, text: str) -> NDArray[np.float64]:
    """Return the increasing numbers of ``20,40``."""
    try:
        edges = np.array([float(part) for part in str(text).split(",")])
    except ValueError:
        raise UsageError(f"expected --bin {column}=NUMBER,NUMBER,..., but got {column}={text}") from None
    if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise UsageError(f"expected --bin {column} to list increasing numbers, but got {text}")
    return edges


def bin_names(edges: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the name of each bin: ``<20``, ``20 to <40``, ``>=40``."""
    shown = [repr(edge).removesuffix(".0") for edge in edges.tolist()]
    between = [f"{low} to <{high}" for low, high in itertools.pairwise(shown)]
    return (f"<{shown[0]}", *between, f">={shown[-1]}")
