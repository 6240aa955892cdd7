"""Lines that decorate a table and are no rows of it: rules below the header, remarks below the last row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fairdistill.errors import DataError
from fairdistill.tables.layout import Layout

_RULE = re.compile(r":?[-+=]*(--|==)[-+=]*:?")


def is_rule(fields: Sequence[str]) -> bool:
    """Return whether a record draws a line, as Markdown and the shells of databases do below a header.

    Example:
        >>> is_rule([" :--- ", "---"]), is_rule(["-----+------"]), is_rule(["-", "-"]), is_rule(["--", "cat"])
        (True, True, False, False)
    """
    texts = [field.strip() for field in fields]
    return any(texts) and all(not text or _RULE.fullmatch(text) for text in texts)


def check_no_rule(path: Path, layout: Layout) -> None:
    """Raise a DataError if the first record below the header draws a line; it would be read as a class and a group."""
    with layout.records(path) as records:
        records.header()
        first = next((fields for fields in records if fields), [])
        if is_rule(first):
            raise DataError(
                f"{path}, line {records.line}: this line draws a rule below the header, as Markdown and the shells of "
                "databases do; export the table as CSV, or remove the line and all blanks that align the columns"
            )
