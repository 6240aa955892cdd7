"""Whether the first row of a table is none of its samples, such as one of units, types or further names of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairdistill.tables.columns import Columns
from fairdistill.text.lists import joined

_FEWEST = 20  # rows, of which one value that occurs once in each column is more than chance


def first_row_note(columns: Columns, names: Sequence[str | None]) -> list[str]:
    """Return a note if the first row has a value of its own in each column that it has one in, and no other row does.

    Args:
        columns: the table.
        names: the columns of classes and groups, None for one that the table does not have.

    Example:
        >>> import pandas as pd
        >>> from pathlib import Path
        >>> table = pd.DataFrame({"label": ["str", *"ab" * 10], "sex": ["str", *"fm" * 10]})
        >>> first_row_note(Columns(Path("t.csv"), table, {}), ["label", "sex"])[0].partition(";")[0]
        "t.csv, row 2 has 'str' and 'str' in columns 'label' and 'sex', as no other row does"
    """
    if len(columns.frame) < _FEWEST:
        return []
    shown: list[tuple[str, str]] = []
    for name in (name for name in names if name is not None):
        values = columns.frame[name]
        if values.isna().iloc[0]:
            continue
        if (values == values.iloc[0]).sum() > 1:  # as in most tables, so that no more is looked at
            return []
        codes, different = columns.distinct(name)
        if (np.bincount(codes[codes >= 0]) == 1).sum() > 1:
            return []
        shown.append((str(different[0]), name))
    if len(shown) < 2:
        return []
    texts, named = (joined([repr(part) for part in parts]) for parts in zip(*shown, strict=True))
    return [
        f"{columns.where(0)} has {texts} in columns {named}, as no other row does; if it holds units, types or more "
        "names of the columns, remove it"
    ]
