"""The shape of a text table: each row has as many fields as the header, and the header stands once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from operator import contains
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairdistill.errors import DataError
from fairdistill.tables.decoration import check_no_rule
from fairdistill.tables.even import is_even
from fairdistill.tables.layout import SEPARATORS, Layout
from fairdistill.tables.quotes import unclosed_quote

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = 20  # rows below one with too many or too few fields


def check_fields(path: Path, layout: Layout) -> tuple[list[str], bool]:
    """Return the header, and whether there may be quotes.

    Checks that each row has as many fields as the header: pandas would shift or drop them silently.
    """
    check_no_rule(path, layout)
    with layout.records(path) as records:
        names = records.header()
        if is_even(path, encoding=layout.encoding, separator=layout.separator, fields=len(names)):
            return names, False
        start = above = records.line
        joined = False
        for fields in records:
            one = records.line == above + 1
            joined |= not one
            if len(fields) != len(names) and fields:
                check_quotes(path, layout, fields=len(names))
                where = f"line {records.line}" if one else f"lines {above + 1} to {records.line}, which one quote joins"
                first = above == start
                remedy = _remedy(fields, records, layout, names=len(names), first=first) if one else "close the quote"
                raise DataError(
                    f"{path}, {where}: expected {len(names)} fields as in the header, but got {len(fields)}; {remedy}"
                )
            above = records.line
    if joined:
        check_quotes(path, layout, fields=len(names))
    return names, True


def _remedy(fields: list[str], below: Iterable[list[str]], layout: Layout, *, names: int, first: bool) -> str:
    """Return what to do with a row, perhaps the first, of another number of fields than the header."""
    others = [each for each in itertools.islice(below, _COMPARED) if each]
    if len(fields) == 1 and not others:
        return "remove this line if it is a remark below the table, else complete it"
    sign = next((sign for sign in SEPARATORS if sign in fields[0]), None) if len(fields) == 1 else None
    if sign is not None:
        return f"the header separates its fields with {layout.separator!r}, this line with {sign!r}; use one of them"
    all_rows = first and bool(others) and all(len(each) == len(fields) for each in others)
    if len(fields) < names:
        if not all_rows:
            return "complete this line"
        return f"remove the names of columns that are not there, or quote names that contain {layout.separator!r}"
    quote = f"quote fields that contain the separator, {layout.separator!r}"
    return f"name the other columns in the header (R's row names are one), or {quote}" if all_rows else quote


def check_quotes(path: Path, layout: Layout, *, fields: int) -> None:
    """Raise a DataError if a quote is not closed, or closed only by the next one."""
    line = unclosed_quote(path, layout, fields=fields)
    if line is not None:
        raise DataError(
            f'{path}, line {line}: a quote (") opens a field here and is not closed; close it at the end of the field, '
            'or, if it is part of the text, double it and quote the field ("5"" tall")'
        )


def check_header_once(path: Path, layout: Layout, frame: pd.DataFrame) -> None:
    """Raise a DataError if the header is repeated further down, as in tables that were joined end to end.

    There, it may be in other letters: ``Label`` for ``label``.
    """
    texts = [name for name in frame if frame[name].dtype != np.float64]
    alike = np.ones(len(frame), bool)
    for name in texts:
        alike &= frame[name].isin(_in_cases(str(name))).to_numpy(bool)
        if not alike.any():
            return
    with layout.records(path) as records:
        names = [_in_cases(name) for name in records.header()]
        if texts and any(  # a value may be called as its column is
            len(fields) == len(names) and all(map(contains, names, fields)) for fields in records
        ):
            raise DataError(f"{path}, line {records.line}: the header occurs again; remove this line")


def _in_cases(name: str) -> frozenset[str]:
    return frozenset({name, name.lower(), name.upper(), name.title(), name.capitalize()})
