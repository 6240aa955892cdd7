"""Text as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fairdistill.escaping import one_line, shortened


def as_markdown(text: str) -> str:
    r"""Return text in which nothing is taken for Markdown or HTML; it stays on one line.

    Example:
        >>> print(as_markdown("a_b | <b>"))
        a\_b \| &lt;b&gt;
    """
    text = shortened(one_line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#" else sign for sign in text)


def table(rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return a table of cells that are Markdown already; the first row is the heading.

    Args:
        rows: the cells.
        left: how many columns are aligned left; all others are aligned right.

    Example:
        >>> print(table([("Class", "rows"), ("**cat**", "7")]))
        | Class | rows |
        | --- | ---: |
        | **cat** | 7 |
    """
    marks = ["---" if at < left else "---:" for at in range(len(rows[0]))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (rows[0], marks, *rows[1:]))
