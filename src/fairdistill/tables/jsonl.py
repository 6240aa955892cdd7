"""Reading tables of JSON Lines: one object a line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairdistill.errors import DataError
from fairdistill.tables.layout import with_mark
from fairdistill.tables.room import check_json
from fairdistill.text.parsing import from_json

if TYPE_CHECKING:
    import pandas as pd

_NAME_END = re.compile(r'"\s*:')
SUFFIXES = (".jsonl", ".ndjson", ".jsonlines")


def header(path: Path, encoding: str) -> list[str]:
    """Return the names that occur, in the order of their first occurrence.

    Raises:
        DataError: naming the line that is not a JSON object, or has a name twice.
        UnicodeError, LookupError, OSError: if the file cannot be read with this encoding.
    """
    names = list(dict.fromkeys(name for row in _rows(path, encoding) for name in row))
    if not names:
        raise DataError(f"{path} has no columns: its lines are empty objects; each needs a name for every value")
    return names


def columns(path: Path, names: list[str], encoding: str) -> pd.DataFrame:
    """Return the named columns; numbers stay numbers, and what is absent, null or empty is missing."""
    import pandas as pd

    check_json(path, names)
    rows = _rows(path, encoding)
    values = {name: [None if (value := row.get(name)) == "" else value for row in rows] for name in names}
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in values.items()})


def line_of(path: Path, row: int) -> int:
    """Return the line of a row, counting blank lines."""
    with path.open(encoding=with_mark(path, "utf-8"), errors="replace", newline="\n") as file:
        filled = [number for number, line in enumerate(file, 1) if line.strip()]
    return filled[row] if row < len(filled) else row + 1


def _rows(path: Path, encoding: str) -> list[dict[str, Any]]:
    text = path.read_text(encoding=with_mark(path, encoding))
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = from_json(line)
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: this is not JSON: {error}; expected an object a line, as "
                "t.to_json(FILE, orient='records', lines=True) of pandas writes them"
            ) from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: expected a JSON object, but got {line.strip()[:60]}")
        # A name ends with a quote and a colon: decoding again takes time, and few texts hold these.
        if line.count(":") != len(row) and len(_NAME_END.findall(line)) != len(row):
            _check_names(path, number, line)
        if "\\ud" in line.lower():
            _check_whole_characters(path, number, row)
        named = {name.strip(): value for name, value in row.items()}
        if len(named) < len(row):
            twice = next(name.strip() for name in row if name not in named)
            raise DataError(f"{path}, line {number}: {twice!r} occurs twice, once with blanks; rename or remove one")
        rows.append(named)
    if not rows:
        raise DataError(f"{path} is empty; expected at least one JSON object, one a line")
    return rows


def _check_names(path: Path, number: int, line: str) -> None:
    """Raise a DataError if an object of a line has a name twice, of which the last value would count silently."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"{path}, line {number}: {twice!r} occurs twice; rename or remove one")

    json.loads(line, object_pairs_hook=check)


def _check_whole_characters(path: Path, number: int, row: dict[str, Any]) -> None:
    """Raise a DataError for half a surrogate pair, which JSON can escape but no text can hold."""
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode("unicode_escape").decode()
        raise DataError(f"{path}, line {number}: {half} is half a character; write the character whole") from None
