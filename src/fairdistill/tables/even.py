"""A quick look at whether every line of a plain text table has as many separators."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np

_PLAIN = ("utf-8", "utf-8-sig", "ascii", "iso8859-1")
_CHUNK = 2**22  # bytes at a time
_QUOTE, _RETURN, _LINE = b'"\r\n'


def is_even(path: Path, *, encoding: str, separator: str, fields: int) -> bool:
    """Return whether every line that is not blank has so many fields; False also where only a full reader can tell.

    That is so for quoted fields, for encodings other than UTF-8, ASCII and Latin-1, and for text that does not fit its
    encoding.

    Args:
        path: the table.
        encoding: its encoding.
        separator: what separates fields.
        fields: of a line.
    """
    name = codecs.lookup(encoding).name
    if name not in _PLAIN or len(separator.encode()) != 1:
        return False
    left = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole, _, left = (left + chunk).rpartition(b"\n")
            if whole and not _even(whole + b"\n", name, ord(separator), fields):
                return False
    return not left or _even(left + b"\n", name, ord(separator), fields)


def _even(lines: bytes, encoding: str, separator: int, fields: int) -> bool:
    if _QUOTE in lines or lines.count(b"\r") != lines.count(b"\r\n"):
        return False
    if encoding != "iso8859-1" and not lines.isascii():
        try:
            lines.decode("utf-8" if encoding == "utf-8-sig" else encoding)
        except UnicodeDecodeError:
            return False
    content = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(content == _LINE)
    starts = np.append(0, ends[:-1] + 1)
    blank = (ends == starts) | ((ends == starts + 1) & (content[starts] == _RETURN))
    separators = np.diff(np.searchsorted(np.flatnonzero(content == separator), np.append(0, ends)))
    return bool((blank | (separators == fields - 1)).all())
