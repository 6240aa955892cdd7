"""Rows of cells as aligned lines of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def aligned(rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,)) -> list[str]:
    """Return each row as a line; the cells of a column begin at one place if it is among ``left``, else they end there.

    Example:
        >>> aligned([("Class", "rows"), ("cat", "7")])
        ['Class  rows', 'cat       7']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
