"""The line of a text table that opens a quote which is never closed, or closed only by the next quote."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fairdistill.tables.layout import Layout

_END = "end"
_BREAK = re.compile("\r\n|\r|\n")


def unclosed_quote(path: Path, layout: Layout, *, fields: int) -> int | None:
    """Return the first line, as an editor counts them, that opens a quote which is not closed; None if there is none.

    A quote that the next one closes is found, too: the lines it joins are rows of the table, and something follows
    where it ends.

    Args:
        path: the table.
        layout: how it is written.
        fields: of a row.

    Raises:
        csv.Error: if the csv module cannot read it.
        UnicodeError: if it is not in the encoding of ``layout``.
    """
    taken: list[str] = []  # lines of the record that is being read

    with layout.lines(path) as lines:

        def followed() -> Iterator[str]:
            for line in lines:
                taken.append(line)
                yield line
            taken.append(_END)  # a record of its own unless a quote is open
            yield _END

        start = 1 + layout.hint
        for record in layout.reader(followed()):
            if len(taken) > 1:
                if taken[-1] == _END:
                    return start + len(taken) - 2 - _breaks(record[-1].removesuffix(_END))
                if not _is_strict(taken, layout) and _holds_row(taken[1:], layout, fields):
                    return start
            start += len(taken)
            taken.clear()
    return None


def _breaks(text: str) -> int:
    """Return the number of line breaks in a text but at its end."""
    return len(_BREAK.findall(text)) - (text[-1:] in ("\r", "\n"))


def _is_strict(lines: Sequence[str], layout: Layout) -> bool:
    try:
        return bool([*layout.reader(lines, strict=True)])
    except csv.Error:
        return False


def _holds_row(lines: Sequence[str], layout: Layout, fields: int) -> bool:
    return any(len(next(layout.reader([line]), [])) == fields for line in lines)
