"""Reading tables: CSV, TSV and Parquet, only the columns that are wanted, any text encoding."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairdistill.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".parquet")


def header(path: Path, encoding: str) -> list[str]:
    """Return the column names; a name that is there twice is an error, since one of the two would be lost."""
    if path.suffix.lower() == ".parquet":
        return _parquet_header(path)
    try:
        with path.open(encoding=_with_mark(encoding), newline="") as file:
            names = _first(csv.reader(file, delimiter=_separator(path)))
    except FileNotFoundError:
        raise DataError(f"there is no table {path}") from None
    except (UnicodeDecodeError, LookupError, csv.Error, OSError) as error:
        raise _unreadable(path, encoding, error) from error
    if not names:
        raise DataError(f"{path} is empty; expected a header of column names, and rows")
    return _checked_header(path, names)


def _first(lines: Iterator[list[str]]) -> list[str]:
    """Return the first line that is not blank, as pandas does."""
    return next((fields for fields in lines if fields), [])


def _checked_header(path: Path, names: list[str]) -> list[str]:
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path} has {names.count(name)} columns called {name!r}; rename or remove one")
    return names


def read_columns(path: Path, columns: list[str], encoding: str, *, numbers: Collection[str] = ()) -> pd.DataFrame:
    """Return the named columns: texts as they are, of Parquet also numbers; what is empty is missing.

    Args:
        path: the table.
        columns: which of its columns.
        encoding: of its text.
        numbers: those that hold numbers and become float64.

    Raises:
        DataError: if the file cannot be read so, it has no rows, a row has more or fewer fields than the header, or a
            number is none.
    """
    parquet = path.suffix.lower() == ".parquet"
    frame = _read_parquet(path, columns) if parquet else _read_text(path, columns, encoding, numbers)
    if not len(frame):
        raise DataError(f"{path} has a header and no rows; there is nothing to load")
    for column in numbers:
        frame[column] = _numbers(path, frame, column)
    return frame


def place(path: Path, row: int) -> str:
    """Return the place of a row for a message: the file, and the row as a spreadsheet counts, blank ones among them."""
    if path.suffix.lower() == ".parquet":
        return f"{path}, row {row + 1}"
    try:
        # Only the shape of the table matters here, so any encoding that keeps separators will do.
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
        given = "is empty" if pd.isna(value) else f"has {value!r}, which is no number"
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
            return read(str)  # with the text of what is no number
    except DataError:
        raise
    except (ValueError, LookupError, OSError, csv.Error) as error:  # pandas' ParserError is a ValueError
        raise _unreadable(path, encoding, error) from error


def _check_fields(path: Path, encoding: str) -> None:
    """Check that no row has more or fewer fields than the header; pandas would shift or drop them in silence."""
    with path.open(encoding=_with_mark(encoding), newline="") as file:
        reader = csv.reader(file, delimiter=_separator(path))
        width = len(_first(reader))
        for fields in reader:
            if len(fields) != width and fields:
                raise DataError(
                    f"{path}, line {reader.line_num}: expected {width} fields as in the header, but got {len(fields)}; "
                    "a field that holds the separator must be quoted"
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
        # What was an index is a column like others; whole numbers stay whole though some are missing.
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
            f"there is no encoding {encoding!r}; give one such as utf-8, latin-1 or cp1252 with --encoding"
        )
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        guess = "utf-16" if error.start == 0 and byte in (0xFE, 0xFF) else "latin-1"
        return DataError(
            f"{path} is not {encoding} (byte {byte:#04x} at position {error.start}); give its encoding, such as "
            f"--encoding {guess}"
        )
    return DataError(f"cannot read the table {path}: {' '.join(str(error).split())}")


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _separator(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def check_column(path: Path, names: list[str], option: str, column: str) -> None:
    """Raise a DataError that names the option if a table has no such column."""
    if column not in names:
        if len(names) == 1 and path.suffix.lower() != ".parquet" and any(sign in names[0] for sign in ";\t|"):
            wanted = "tabs (.tsv)" if path.suffix.lower() == ".tsv" else "commas (.csv)"
            raise DataError(f"{path} has one column, {names[0]!r}; its fields must be separated by {wanted}")
        raise DataError(f"{path} has no column {column!r}; it has {', '.join(names)}. Name one with --{option}")


def several(text: str, names: list[str]) -> list[str]:
    """Return the columns that an option names: one, or several with commas between them."""
    return [text] if text in names else text.split(",")
