"""How a text table is written: its encoding, its separator and whether blanks follow the separators."""

from __future__ import annotations

import codecs
import contextlib
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = (",", "\t", ";", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 20  # rows
_LONGEST_FIELD = 2**31 - 1  # the most that the csv module takes on every platform; its default is 131,072


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How to read a text table.

    Attributes:
        encoding: its text encoding; a byte order mark at its start is skipped.
        separator: what separates the fields of a row.
        blanks: whether blanks follow the separators; they are not part of a field then.
        hint: whether the first line only names the separator (``sep=;``), as Excel has it.
    """

    encoding: str
    separator: str
    blanks: bool = False
    hint: bool = False

    @contextlib.contextmanager
    def records(self, path: Path, *, errors: str = "strict") -> Iterator[Records]:
        """Open a table for reading record by record; the header is the first that is not blank."""
        with self.lines(path, errors=errors) as lines:
            yield Records(lines, self)

    @contextlib.contextmanager
    def lines(self, path: Path, *, errors: str = "strict") -> Iterator[TextIO]:
        """Open a table for reading line by line, without the line that only names the separator."""
        limit = csv.field_size_limit(_LONGEST_FIELD)
        try:
            with path.open(encoding=self.encoding, errors=errors, newline="") as file:
                if self.hint:
                    file.readline()
                yield file
        finally:
            csv.field_size_limit(limit)

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Reader:
        """Return a reader of the csv module; a strict one takes nothing but a separator after a closing quote."""
        return csv.reader(lines, delimiter=self.separator, skipinitialspace=self.blanks, strict=strict)


class Records:
    """The records of a text table, each a list of fields; an empty list is a blank line."""

    def __init__(self, lines: Iterable[str], layout: Layout) -> None:
        self._skipped = int(layout.hint)
        self._reader = layout.reader(lines)

    @property
    def line(self) -> int:
        """The number of lines read so far, as an editor counts them."""
        return self._reader.line_num + self._skipped

    def __iter__(self) -> Iterator[list[str]]:
        return self._reader

    def header(self) -> list[str]:
        """Read the first record that is not blank, as pandas does; an empty list if there is none."""
        return next((fields for fields in self._reader if fields), [])


def layout_of(path: Path, encoding: str) -> Layout:
    """Return how a text table is written, judged by its first lines.

    A ``.tsv`` file has tabs and any other file commas, unless its first rows have more fields if another of comma, tab,
    semicolon and ``|`` separates them, and the same number in each row. If the encoding is utf-8, a byte order mark
    tells UTF-16 and UTF-32.

    Raises:
        LookupError: for an unknown encoding.
        OSError: if the file cannot be read.
        UnicodeError: if the first lines are not in this encoding.
    """
    encoding = with_mark(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline().rstrip("\r\n")
    hint = first.lower().startswith("sep=") and len(first) == len("sep=;")
    known = first[-1] if hint and first.isascii() else None  # pandas takes no other one
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    base = Layout(encoding=encoding, separator=known or usual, hint=hint)
    rows = _first_rows(path, base)
    if known is None:
        for sign in SEPARATORS:
            tried = replace(base, separator=sign)
            other = _first_rows(path, tried)
            if _fits(other, better_than=rows):
                base, rows = tried, other
    header = rows[0] if rows else []
    blanks = len(header) > 1 and all(name[:1] == " " for name in header[1:])
    return replace(base, blanks=blanks)


def _first_rows(path: Path, layout: Layout) -> list[list[str]]:
    with layout.records(path) as records:
        return list(islice((fields for fields in records if fields), _LOOKED_AT + 1))


def _fits(rows: list[list[str]], *, better_than: list[list[str]]) -> bool:
    """Return whether a separator gives the header more fields than another does, and every row as many."""
    if not rows or len(rows[0]) <= len(better_than[0]):
        return False
    return len(better_than[0]) == 1 or (len(rows) > 1 and all(len(fields) == len(rows[0]) for fields in rows))


def line_with(path: Path, name: str) -> int | None:
    """Return the line below the first that looks like the header, since one of its fields is this name; else None."""
    try:
        with path.open(encoding=with_mark(path, "utf-8"), errors="replace") as file:
            lines = list(islice(file, _LOOKED_AT))
    except (OSError, UnicodeError):
        return None
    for number, line in enumerate(lines[1:], 2):
        for sign in (sign for sign in SEPARATORS if sign in line):
            fields, first = _fields(line, sign), _fields(lines[0], sign)
            if name in fields and _could_be_names(fields) and not (len(first) == len(fields) and _are_names(first)):
                return number
    return None


def _fields(line: str, separator: str) -> list[str]:
    return [field.strip(' "\r\n') for field in line.split(separator)]


def _could_be_names(fields: list[str]) -> bool:
    return not any(field.replace(".", "", 1).isdecimal() for field in fields)


def _are_names(fields: list[str]) -> bool:
    return all(fields) and len({*fields}) == len(fields) and _could_be_names(fields)


def with_mark(path: Path, encoding: str) -> str:
    """Return the encoding of a file: if it is utf-8, a byte order mark at the start tells others."""
    if codecs.lookup(encoding).name != "utf-8":
        return encoding
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
