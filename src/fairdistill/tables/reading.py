"""Reading tables: the requested columns of a CSV, TSV or Parquet file, in any text encoding."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairdistill.errors import DataError, UsageError
from fairdistill.tables import jsonl

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".parquet", jsonl.SUFFIX)


def header(path: Path, encoding: str) -> list[str]:
    """Return the column names; a repeated name is an error, since one of the two columns would be lost."""
    if path.suffix.lower() == ".parquet":
        return _parquet_header(path)
    if path.suffix.lower() == jsonl.SUFFIX:
        return jsonl.header(path, encoding)
    try:
        with path.open(encoding=_with_mark(encoding), newline="") as file:
            names = _first(csv.reader(file, delimiter=_separator(path)))
    except FileNotFoundError:
        raise DataError(f"there is no table {path}") from None
    except (UnicodeDecodeError, LookupError, csv.Error, OSError) as error:
        raise _unreadable(path, encoding, error) from error
    if not names:
        raise DataError(f"{path} is empty; expected a header of column names and at least one row")
    return _checked_header(path, names)


def _first(lines: Iterator[list[str]]) -> list[str]:
    """Return the first non-blank line, as pandas does."""
    return next((fields for fields in lines if fields), [])


def _checked_header(path: Path, names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path} has {names.count(name)} columns named {name!r}; rename or remove one")
    return names


def read_columns(path: Path, columns: list[str], encoding: str, *, numbers: Collection[str] = ()) -> pd.DataFrame:
    """Return the named columns as text (Parquet columns keep their numbers); empty fields become missing values.

    Args:
        path: the table.
        columns: the columns to read.
        encoding: the text encoding of the file.
        numbers: the columns to convert to float64.

    Raises:
        DataError: if the file cannot be read, has no rows, a row has more or fewer fields than the header, or a field
            of ``numbers`` does not hold a number.
    """
    parquet = path.suffix.lower() == ".parquet"
    if path.suffix.lower() == jsonl.SUFFIX:
        frame = jsonl.columns(path, columns, encoding)
    else:
        frame = _read_parquet(path, columns) if parquet else _read_text(path, columns, encoding, numbers)
    if not len(frame):
        raise DataError(f"{path} has a header but no rows")
    for column in numbers:
        frame[column] = _numbers(path, frame, column)
    return frame


def place(path: Path, row: int) -> str:
    """Return where a row is, for messages: the file and the row number a spreadsheet shows, counting blank rows."""
    if path.suffix.lower() == ".parquet":
        return f"{path}, row {row + 1}"
    if path.suffix.lower() == jsonl.SUFFIX:
        return f"{path}, line {jsonl.line_of(path, row)}"
    try:
        # Only the shape of the table matters here, so any encoding that keeps the separators works.
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            filled = (at for at, fields in enumerate(csv.reader(file, delimiter=_separator(path)), 1) if fields)
            shown = next(itertools.islice(filled, row + 1, None), row + 2)
    except (OSError, csv.Error):
        shown = row + 2
    return f"{path}, row {shown}"


def _numbers(path: Path, frame: pd.DataFrame, column: str) -> pd.Series[float]:
    import pandas as pd

    found = pd.to_numeric(frame[column], errors="coerce")
    wrong = np.flatnonzero(found.isna().to_numpy())
    if len(wrong):
        row, value = int(wrong[0]), frame[column].iloc[int(wrong[0])]
        given = "is empty" if pd.isna(value) else f"has {value!r}, which is not a number"
        raise DataError(f"{place(path, row)}: column {column!r} {given}")
    return found.astype(np.float64)


def _read_text(path: Path, columns: list[str], encoding: str, numbers: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    def read(kinds: type | dict[str, type]) -> pd.DataFrame:
        return pd.read_csv(
            path,
            usecols=columns,
            sep=_separator(path),
            encoding=_with_mark(encoding),
            dtype=kinds,
            keep_default_na=False,
            na_values=[""],
        )

    try:
        _check_fields(path, encoding)
        try:
            return read({column: float if column in numbers else str for column in columns})
        except ValueError:
            return read(str)  # keeps the text of a field that is not a number
    except DataError:
        raise
    except (ValueError, LookupError, OSError, csv.Error) as error:  # pandas' ParserError is a ValueError
        raise _unreadable(path, encoding, error) from error


def _check_fields(path: Path, encoding: str) -> None:
    """Check that each row has as many fields as the header; pandas would shift or drop them silently."""
    with path.open(encoding=_with_mark(encoding), newline="") as file:
        reader = csv.reader(file, delimiter=_separator(path))
        width = len(_first(reader))
        for fields in reader:
            if len(fields) != width and fields:
                raise DataError(
                    f"{path}, line {reader.line_num}: expected {width} fields as in the header, but got {len(fields)}; "
                    "quote fields that contain the separator"
                )


def _parquet_header(path: Path) -> list[str]:
    if not path.exists():
        raise DataError(f"there is no table {path}")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(f"reading {path} needs pyarrow; install it with: pip install 'fairdistill[parquet]'") from None
    try:
        return _checked_header(path, list(pyarrow.parquet.read_schema(path).names))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {' '.join(str(error).split())}") from error


def _read_parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow
    import pyarrow.parquet

    try:
        # A stored index is read as a column; integers stay integers even if some are missing.
        stored = pyarrow.parquet.read_table(path, columns=columns)
        frame: pd.DataFrame = stored.to_pandas(ignore_metadata=True, integer_object_nulls=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    for name in columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(frame[name].cat.categories.dtype)
        if pd.api.types.is_string_dtype(frame[name].dtype):
            frame[name] = frame[name].replace("", None)
    return frame


def _unreadable(path: Path, encoding: str, error: Exception) -> DataError:
    if isinstance(error, LookupError):
        return DataError(
            f"unknown encoding {encoding!r}; choose one with --encoding, for example utf-8, latin-1 or cp1252"
        )
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        guess = "utf-16" if error.start == 0 and byte in (0xFE, 0xFF) else "latin-1"
        return DataError(
            f"{path} is not {encoding} (byte {byte:#04x} at position {error.start}); name its encoding, for example "
            f"--encoding {guess}"
        )
    return DataError(f"cannot read the table {path}: {' '.join(str(error).split())}")


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _separator(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def check_column(path: Path, names: list[str], option: str, column: str) -> None:
    """Raise a DataError naming the option if the table lacks the column."""
    if column not in names:
        if len(names) == 1 and path.suffix.lower() != ".parquet" and any(sign in names[0] for sign in ";\t|"):
            wanted = "tabs (.tsv)" if path.suffix.lower() == ".tsv" else "commas (.csv)"
            raise DataError(f"{path} has a single column, {names[0]!r}; separate its fields with {wanted}")
        raise DataError(
            f"{path} has no column {column!r}; its columns are {', '.join(names)}. Choose one with --{option}"
        )


def several(text: str, names: list[str]) -> list[str]:
    """Return the columns an option names: a single one, or several separated by commas."""
    return [text] if text in names else text.split(",")
