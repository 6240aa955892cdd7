"""Reading tables of JSON Lines: one object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairdistill.errors import DataError
from fairdistill.tables.room import check_json
from fairdistill.text.parsing import from_json

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".jsonl"


def header(path: Path, encoding: str) -> list[str]:
    """Return the names that occur, in the order of their first occurrence.

    Raises:
        DataError: if the file cannot be read, or naming the line that is not a JSON object.
    """
    return list(dict.fromkeys(name for row in _rows(path, encoding) for name in row))


def columns(path: Path, names: list[str], encoding: str) -> pd.DataFrame:
    """Return the named columns; numbers stay numbers, and what is absent, null or empty is missing."""
    import pandas as pd

    check_json(path, names)
    rows = _rows(path, encoding)
    values = {name: [None if (value := row.get(name)) == "" else value for row in rows] for name in names}
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in values.items()})


def line_of(path: Path, row: int) -> int:
    """Return the line of a row, counting blank lines."""
    with path.open("rb") as file:
        filled = [number for number, line in enumerate(file, 1) if line.strip()]
    return filled[row] if row < len(filled) else row + 1


def _rows(path: Path, encoding: str) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig" if encoding == "utf-8" else encoding)
    except FileNotFoundError:
        raise DataError(f"there is no table {path}") from None
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise DataError(f"cannot read the table {path}: {error}") from error
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = from_json(line)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: this is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: expected a JSON object, but got {line.strip()[:60]}")
        if "\\ud" in line.lower():
            _check_whole_characters(path, number, row)
        rows.append({name.strip(): value for name, value in row.items()})
    if not rows:
        raise DataError(f"{path} is empty; expected at least one JSON object, one a line")
    return rows


def _check_whole_characters(path: Path, number: int, row: dict[str, Any]) -> None:
    """Raise a DataError for half a surrogate pair, which JSON can escape but no text can hold."""
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode("unicode_escape").decode()
        raise DataError(f"{path}, line {number}: {half} is half a character; write the character whole") from None
