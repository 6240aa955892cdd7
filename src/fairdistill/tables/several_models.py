"""Whether a table holds the predictions of several models, one below the other."""

from __future__ import annotations

from collections.abc import Collection

from fairdistill.tables.columns import Columns
from fairdistill.tables.splits import named_like

_NAMES = (
    "model", "modelname", "modelid", "modelversion", "method", "algorithm", "classifier", "architecture", "checkpoint",
    "run", "runid", "runname", "experiment", "trial", "seed", "epoch", "iteration", "step",
)  # fmt: skip


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
