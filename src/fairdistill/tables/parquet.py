"""Columns of Parquet files, and of Arrow files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fairdistill.errors import DataError
from fairdistill.tables import arrow
from fairdistill.tables.room import check_parquet

if TYPE_CHECKING:
    import pandas as pd


def parquet_header(path: Path) -> list[str]:
    """Return the names of a Parquet file's columns.

    Raises:
        UsageError: if pyarrow is not installed.
        DataError: if there is no such file, or it is not a Parquet file.
    """
    if path.suffix.lower() == arrow.SUFFIX:
        return list(arrow.arrow_table(path).column_names)
    arrow.check_readable(path)
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {' '.join(str(error).split())}") from error


def read_parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    """Return columns of a Parquet file; blanks around their names in the file do not matter."""
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    stored = {name.strip(): name for name in parquet_header(path)}
    try:
        # A stored index is read as a column; integers stay integers even if some are missing.
        chosen = [stored[name] for name in columns]
        is_arrow = path.suffix.lower() == arrow.SUFFIX
        if not is_arrow:
            check_parquet(path, columns, chosen)
        table = arrow.arrow_table(path).select(chosen) if is_arrow else pyarrow.parquet.read_table(path, columns=chosen)
        table.validate(full=True)  # texts that are not UTF-8 would be an error only when one looks at them
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True)
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        raise DataError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    frame = frame.rename(columns={stored[name]: name for name in columns})[list(dict.fromkeys(columns))]
    for name in columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(frame[name].cat.categories.dtype)
        nested = pyarrow.types.is_nested(table.schema.field(stored[name]).type)  # lists, which equal no text
        if pd.api.types.is_string_dtype(frame[name].dtype) and not nested:
            frame[name] = frame[name].replace("", None)
    return frame
