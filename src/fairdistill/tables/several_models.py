"""Whether a table holds the predictions of several models, one below the other."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.columns import Columns
from fairdistill.tables.splits import named_like

_NAMES = (
    "model", "modelname", "modelid", "modelversion", "method", "algorithm", "classifier", "architecture", "checkpoint",
    "run", "runid", "runname", "experiment", "trial", "seed", "epoch", "iteration", "step",
)  # fmt: skip
_MOST = 10  # times that samples repeat
_FEWEST = 50  # samples
_WINDOW, _VARIED = 8, 0.25  # this share of rows, and of so many rows at a time, must differ in an order that varies


def models_column(names: Collection[str], used: Collection[str | None]) -> str | None:
    """Return the column that is named as one of models or their training, unless it is used for something else.

    Example:
        >>> models_column(["id", "Model Name", "seed"], []), models_column(["camera"], [])
        ('Model Name', None)
    """
    return named_like(_NAMES, [name for name in names if name not in used])


def models_note(columns: Columns, column: str) -> list[str]:
    """Return a note if each value of a column has equally many rows, as with predictions of several models.

    Example:
        >>> import pandas as pd
        >>> from pathlib import Path
        >>> table = pd.DataFrame({"seed": ["0", "1", "0", "1"]})
        >>> models_note(Columns(Path("t.csv"), table, {}), "seed")[0].partition(";")[0]
        "Column 'seed' has 2 values with 2 rows each"
    """
    values = columns.frame[column].astype(str)  # also lists, which are no fault of a column that is not used
    rows = values.value_counts().to_numpy()
    if len(rows) < 2 or columns.frame[column].isna().any() or rows[0] < 2 or (rows != rows[0]).any():
        return []
    return [
        f"Column {column!r} has {len(rows):,} values with {rows[0]:,} rows each; if these are the predictions of "
        "several models for the same samples, audit the rows of each model alone"
    ]


def repeated_samples_note(parts: NDArray[np.int64]) -> list[str]:
    """Return a note if the rows of a table are those of fewer samples, several times in the same order.

    They may stand in blocks, or those of each sample below one another. An order that is a pattern, as of sorted rows,
    says nothing.

    Args:
        parts: label and group of each row, int64 ``[2, N]``.

    Example:
        >>> once = np.random.default_rng(0).integers(0, 2, (2, 60))
        >>> repeated_samples_note(np.tile(once, 2))[0].partition(",")[0], repeated_samples_note(once)
        ('The labels and groups of the 120 rows are those of 60 samples', [])
    """
    rows = parts.shape[1]
    for times in range(_MOST, 1, -1):
        samples = rows // times
        if rows % times or samples < _FEWEST:
            continue
        for blocks in (parts.reshape(2, times, samples), parts.reshape(2, samples, times).swapaxes(1, 2)):
            if (blocks == blocks[:, :1]).all() and _is_varied(blocks[:, 0]):
                return [
                    f"The labels and groups of the {rows:,} rows are those of {samples:,} samples, {times} times in "
                    "the same order, as if they held the predictions of several models; if so, audit the rows of each "
                    "one alone, or name the column that identifies samples with --id"
                ]
    return []


def _is_varied(parts: NDArray[np.int64]) -> bool:
    """Return whether an order is neither sorted nor a short pattern."""
    if (parts[:, 1:] != parts[:, :-1]).any(axis=0).mean() < _VARIED:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(parts, _WINDOW, axis=1).swapaxes(0, 1)
    return len(np.unique(windows.reshape(len(windows), -1), axis=0)) >= _VARIED * len(windows)
