"""Reading tables: the requested columns of a text table in any encoding, of JSON Lines, Parquet or Arrow."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, FairdistillError, UsageError
from fairdistill.system.regular import check_readable
from fairdistill.system.stand_ins import stand_in
from fairdistill.tables import arrow, jsonl
from fairdistill.tables.content import other_content
from fairdistill.tables.formula_text import has_formula_text, plain_text, plain_texts
from fairdistill.tables.layout import Layout, layout_of, line_with
from fairdistill.tables.numbers import as_numbers
from fairdistill.tables.parquet import parquet_header, read_parquet
from fairdistill.tables.room import check_text
from fairdistill.tables.shape import check_fields, check_header_once, check_quotes
from fairdistill.text.lists import listed

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 30  # columns
_ROWS = 50_000  # of a text table that are parsed at a time
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
_PARQUET = (".parquet", ".pq")
SUFFIXES = (".csv", ".tsv", *jsonl.SUFFIXES, *_PARQUET)
"""Extensions of tables."""


def header(path: Path, encoding: str) -> list[str]:
    """Return the column names, without blanks around them.

    A repeated name is an error, since one of the two columns would be lost.
    """
    with _readable(path, encoding):
        check_readable(path)
        if not path.is_dir():
            is_text = not (is_parquet(path) or is_json_lines(path))
            other = other_content(path) if is_text else stand_in(path)
            if other is not None:
                raise DataError(f"{path} {other}")
        if is_parquet(path):
            names = parquet_header(path)
        elif is_json_lines(path):
            names = jsonl.header(path, encoding)
        else:
            names = _text_header(path, encoding)
    names = [_plain_name(name) for name in names]
    for name in filter(None, names):  # spreadsheets leave empty columns without a name behind
        if names.count(name) > 1:
            raise DataError(
                f"{path} has {names.count(name)} columns named {name!r}; rename or remove one, or add a header if "
                "the first line is not one"
            )
    return names


def _plain_name(name: str) -> str:
    """Return the name of a column without blanks around it, also those of no width, as byte order marks are."""
    return plain_text(name.strip().strip(_INVISIBLE).strip())


@contextmanager
def _readable(path: Path, encoding: str) -> Iterator[None]:
    """Turn the errors of reading a file into ours, which name a way out."""
    try:
        yield
    except FairdistillError:
        raise
    except FileNotFoundError:
        raise DataError(f"there is no table {path}") from None
    except (ValueError, LookupError, OSError, csv.Error) as error:
        raise _unreadable(path, encoding, error) from error


def _text_header(path: Path, encoding: str) -> list[str]:
    with layout_of(path, encoding).records(path) as records:
        names = records.header()
    if any("\0" in name for name in names):
        guess = "utf-16-be" if names[0].startswith("\0") else "utf-16-le"
        raise DataError(f"{path} is not {encoding}; it looks like UTF-16, so name its encoding: --encoding {guess}")
    if not names:
        raise DataError(f"{path} is empty; expected a header of column names and at least one row")
    return names


def read_columns(
    path: Path,
    columns: list[str],
    encoding: str,
    *,
    numbers: Collection[str] = (),
    needed: Callable[[pd.DataFrame], NDArray[np.bool_]] | None = None,
) -> pd.DataFrame:
    """Return the named columns as text (numbers of JSON Lines and Parquet stay); empty fields become missing values.

    ``attrs["separator"]`` of the frame is what separates the fields of a text table; it is empty for other tables.

    Args:
        path: the table.
        columns: the columns to read.
        encoding: the text encoding of the file.
        numbers: the columns to convert to float64.
        needed: tells the rows that need numbers, bool ``[N]``, from the columns; others get NaN for what is none. By
            default, all rows need them.

    Raises:
        DataError: if the file cannot be read, has no rows, a row has more or fewer fields than the header, or a field
            of ``numbers`` does not hold a number where one is needed.
    """
    separator = ""
    if is_parquet(path):
        frame = read_parquet(path, columns)
    else:
        with _readable(path, encoding):
            if is_json_lines(path):
                frame = jsonl.columns(path, columns, encoding)
            else:
                frame, separator = _read_text(path, columns, encoding, numbers)
    frame.attrs["separator"] = separator
    if not len(frame):
        raise DataError(f"{path} has a header but no rows; give a table with at least one")
    for column in numbers:
        found = as_numbers(frame[column], separator=separator)
        wrong = np.isnan(found)
        if needed is not None and wrong.any():
            wrong &= needed(frame)
        if wrong.any():
            raise _not_a_number(path, frame, column, int(wrong.argmax()))
        frame[column] = found
    return frame


def place(path: Path, row: int) -> str:
    """Return where a row is, for messages: the file and the row number a spreadsheet shows, counting blank rows."""
    if is_parquet(path):
        return f"{path}, row {row + 1}"
    if is_json_lines(path):
        return f"{path}, line {jsonl.line_of(path, row)}"
    try:
        # Only the shape of the table matters here, so any encoding that keeps the separators works.
        layout = layout_of(path, "utf-8")
    except (UnicodeError, csv.Error, OSError):
        layout = Layout(encoding="utf-8", separator="\t" if path.suffix.lower() == ".tsv" else ",")
    try:
        with layout.records(path, errors="replace") as records:
            filled = (at for at, fields in enumerate(records, 1 + layout.hint) if fields)
            shown = next(itertools.islice(filled, row + 1, None), row + 2)
    except (OSError, csv.Error):
        shown = row + 2
    return f"{path}, row {shown}"


def _not_a_number(path: Path, frame: pd.DataFrame, column: str, row: int) -> DataError:
    value = frame[column].iloc[row]
    if frame[column].isna().iloc[row]:
        given = "is empty; every row needs a number, so fill it in or drop the row"
    elif str(value).lstrip()[:1] in ("[", "(", "{"):
        given = f"has {' '.join(str(value).split())[:60]}, which is not a number; give each of its values a column"
    else:
        given = (
            f"has {repr(value)[:60]}, which is not a number; correct it, or name only columns of numbers with --prob "
            "or --score (predicted classes with --pred)"
        )
    return DataError(f"{place(path, row)}: column {column!r} {given}")


def _read_text(path: Path, columns: list[str], encoding: str, numbers: Collection[str]) -> tuple[pd.DataFrame, str]:
    """Return the columns of a text table and the separator of its fields."""
    import pandas as pd

    layout = layout_of(path, encoding)
    fields, quoted = check_fields(path, layout)
    # Columns without a name get one of their own, since pandas would refuse to tell them apart.
    names = [_plain_name(name) or f"\0{at}" for at, name in enumerate(fields)]
    formulas = quoted and has_formula_text(path)
    check_text(path, columns, fields=len(names))

    def parsed(kinds: type | dict[str, type], decimal: str) -> pd.DataFrame:
        with pd.read_csv(
            path,
            chunksize=_ROWS,  # parsed texts take several times as much memory as the columns that hold them
            header=0,
            names=names,
            usecols=columns,
            skiprows=int(layout.hint),
            sep=layout.separator,
            skipinitialspace=layout.blanks,
            decimal=decimal,
            encoding=layout.encoding,
            dtype=kinds,
            keep_default_na=False,
            na_values=[""],
        ) as reader:
            frame = pd.concat(list(reader), ignore_index=True)
        frame = frame.apply(_stripped) if layout.blanks else frame
        frame = frame.apply(plain_texts) if formulas else frame
        check_header_once(path, layout, frame)
        return frame

    try:
        for decimal in ("." if layout.separator == "," else ".,") if numbers else "":
            try:
                return parsed({name: float if name in numbers else str for name in columns}, decimal), layout.separator
            except (DataError, UnicodeError):
                raise
            except ValueError:
                continue
        return parsed(str, "."), layout.separator  # keeps the text of a field that is not a number
    except ValueError as error:  # pandas' ParserError is one
        if "EOF inside string" in str(error):
            check_quotes(path, layout, fields=len(names))
        raise


def _stripped(column: pd.Series[str]) -> pd.Series[str]:
    """Return a column of texts without blanks around them; a column of numbers as it is."""
    return column if column.dtype == np.float64 else column.str.strip().replace("", None)


def _unreadable(path: Path, encoding: str, error: Exception) -> DataError:
    if isinstance(error, LookupError):
        return DataError(
            f"unknown encoding {encoding!r}; choose one with --encoding, for example utf-8, latin-1 or cp1252"
        )
    if isinstance(error, UnicodeDecodeError):
        byte, line = error.object[error.start], _line_of(path, encoding)
        others = _other_lines(path, encoding)
        if others > 1:
            return DataError(
                f"{path} mixes two encodings: line {line} is not {encoding} (byte {byte:#04x}), but {others:,} other "
                f"lines with such letters are; write all lines in one encoding"
            )
        guess = "utf-16" if error.start == 0 and byte in (0xFE, 0xFF) else "cp1252" if byte < 0xA0 else "latin-1"
        return DataError(
            f"{path} is not {encoding} (byte {byte:#04x} in line {line}); name its encoding, for "
            f"example --encoding {guess}"
        )
    return DataError(f"cannot read the table {path}: {' '.join(str(error).split())}")


def _line_of(path: Path, encoding: str) -> int:
    """Return the first line that cannot be decoded."""
    with path.open("rb") as file:
        for at, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return at
    return 1


def _other_lines(path: Path, encoding: str) -> int:
    """Return how many lines are more than ASCII and in this encoding if these are most of those; 0 otherwise."""
    right = wrong = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                try:
                    line.decode(encoding)
                    right += 1
                except UnicodeDecodeError:
                    wrong += 1
    return right if right > wrong else 0


def is_parquet(path: Path) -> bool:
    """Return whether a table is read as a Parquet or Arrow file, by its extension."""
    return path.suffix.lower() in (*_PARQUET, arrow.SUFFIX)


def is_json_lines(path: Path) -> bool:
    """Return whether a table is read as JSON Lines, by its extension."""
    return path.suffix.lower() in jsonl.SUFFIXES


def check_used_once(columns: list[str | None], options: str) -> None:
    """Raise a UsageError if a column is named twice by options that each need one of its own."""
    twice = next((name for name in columns if name is not None and columns.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"the column {twice!r} is used twice in {options}; use each column once")


def check_column(path: Path, names: list[str], option: str, column: str) -> None:
    """Raise a DataError naming the option if the table lacks the column."""
    if column not in names:
        is_text = not (is_parquet(path) or is_json_lines(path) or path.is_dir())
        below = line_with(path, column) if is_text else None
        if below is not None:
            raise DataError(
                f"{path} has no column {column!r} in its first line, but line {below} looks like the header; remove "
                "the lines above it"
            )
        if len(names) == 1 and is_text:
            raise DataError(
                f"{path} has a single column, {names[0]!r}; separate its fields with commas, semicolons or tabs"
            )
        quoted = [name for name in names if len(name) > 1 and name[0] == name[-1] == "'"]
        if quoted and quoted == names:
            raise DataError(
                f"{path} has no column {column!r}: its fields are in single quotes, which count as part of the names "
                f"and values (the first column is {names[0]}); write double quotes, or none"
            )
        alike = [name for name in names if _letters(name) == _letters(column)]
        named = [*filter(None, names)]
        meant = f"; did you mean {alike[0]!r}?" if alike else f"; its columns are {listed(named, _SHOWN)}."
        raise DataError(f"{path} has no column {column!r}{meant} Choose one with --{option}")


def _letters(name: str) -> str:
    """Return what names have in common that differ in case, blanks and characters of no width."""
    return "".join(sign for sign in name.casefold() if not sign.isspace() and sign not in _INVISIBLE)


def several(text: str, names: list[str]) -> list[str]:
    """Return the columns an option names: a single one, or several separated by commas; one with a comma in quotes."""
    if text in names:
        return [text]
    quoted = any(f'"{name}"' in text for name in names if "," in name)
    return [part.strip() for part in (next(csv.reader([text], skipinitialspace=True)) if quoted else text.split(","))]
