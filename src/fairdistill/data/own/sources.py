"""The person or picture behind each image of a user's own data, and the notes that belong to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.columns import Columns
from fairdistill.tables.sources import sources_of


def source_names(columns: Columns, column: str) -> NDArray[np.object_]:
    """Return a column of sources as texts, an empty text where there is none; what a reader should know is noted."""
    codes = sources_of(columns, column)
    of_row, values = columns.distinct(column)
    texts = [str(value) for value in values.tolist()]
    named = ["" if text.strip() in ("", *columns.unknown) else text for text in texts]
    names = np.array([*named, ""], object)[of_row]
    nameless = names == ""
    total = len(np.unique(codes))
    columns.notes.append(
        f"The {len(codes):,} rows come from {total:,} sources (column {column!r}); those of one source stay "
        "together wherever rows are drawn"
    )
    if nameless.any():
        count = int(nameless.sum())
        columns.notes.append(
            f"{count:,} row{' has' if count == 1 else 's have'} no source in column {column!r}; each counts as a "
            "source of its own"
        )
    return names
