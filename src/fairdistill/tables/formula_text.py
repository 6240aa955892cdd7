"""Fields such as ``="007"``: text that a spreadsheet is told not to change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FIELD = re.compile(r'="([^"]*)"')
_CHUNK = 2**22  # bytes at a time


def has_formula_text(path: Path) -> bool:
    """Return whether a text table of any encoding may have such fields."""
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = end + chunk.replace(b"\0", b"")  # UTF-16 and UTF-32 put some between the letters
            if b'="' in text:
                return True
            end = text[-1:]
    return False


def plain_text(field: str) -> str:
    """Return the text of a field.

    Example:
        >>> plain_text('="007"'), plain_text('=A1&"x"'), plain_text("cat")
        ('007', '=A1&"x"', 'cat')
    """
    found = _FIELD.fullmatch(field)
    return field if found is None else found[1]


def plain_texts(column: pd.Series[str]) -> pd.Series[str]:
    """Return the texts of a column, a field without one, ``=""``, as missing; a column of numbers as it is."""
    if column.dtype.kind == "f":
        return column
    return column.str.replace(f"^{_FIELD.pattern}$", r"\1", regex=True).replace("", None)
