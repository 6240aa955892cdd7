"""A pandas table in place of a file: it is written to a temporary one, so that both are read in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, runtime_checkable

from fairdistill.errors import DataError
from fairdistill.system.standard_input import named

FRAME = "DataFrame"
"""What texts call it."""


@runtime_checkable
class Frame(Protocol):
    """A pandas table; pandas itself need not be imported to tell.

    Example:
        >>> import pandas as pd
        >>> isinstance(pd.DataFrame({"label": [0, 1]}), Frame), isinstance(pd.Series([0, 1]), Frame)
        (True, False)
    """

    columns: Any
    index: Any
    shape: Any
    to_csv: Any


@contextmanager
def written(frame: Frame, name: str = FRAME) -> Iterator[Path]:
    """Yield a temporary CSV file, in UTF-8, with a pandas table; errors name the table, not the file.

    An index with a name is a column, as ``id`` may be, unless there is a column of this name.

    Raises:
        DataError: if it has no rows or no columns, or several levels of columns.
    """
    if not frame.shape[0] or not frame.shape[1]:
        raise DataError(f"the {name} has {frame.shape[0]} rows and {frame.shape[1]} columns")
    if frame.columns.nlevels > 1:
        raise DataError(
            f"the {name} has {frame.columns.nlevels} levels of columns; keep one: "
            "frame.columns = frame.columns.get_level_values(-1)"
        )
    with TemporaryDirectory(prefix="fairdistill-") as folder:
        path = Path(folder) / "table.csv"
        columns = {None, *frame.columns}
        frame.to_csv(path, index=any(level not in columns for level in frame.index.names))
        with named(path, name):
            yield path
