"""A table with a caption, in the formats that ``--format`` offers."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.text import tables


@dataclass(frozen=True)
class CaptionedTable:
    """Rows of cells and the caption below them.

    Attributes:
        rows: the cells; the first row is the heading, the first column names the rows.
        caption: one line.

    Example:
        >>> print(CaptionedTable([("Class", "rows"), ("cat", "7")], "Test set.").markdown())
        | Class | rows |
        | --- | ---: |
        | cat | 7 |
        <BLANKLINE>
        Test set.
    """

    rows: Sequence[Sequence[str]]
    caption: str

    def markdown(self) -> str:
        """Return the table as Markdown, the caption as a paragraph."""
        return f"{tables.markdown(self.rows)}\n\n{self.caption}"

    def latex(self) -> str:
        """Return the table as LaTeX, the caption as a comment."""
        return tables.latex(self.rows, self.caption)

    def comma_separated(self) -> str:
        """Return the cells as CSV, without the caption."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self.rows)
        return text.getvalue().rstrip("\n")

    def as_html(self) -> str:
        """Return the table as an HTML element."""
        head, *body = self.rows
        cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
        rows = [
            f'<tr><th scope="row">{html.escape(row[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in body
        ]
        return "\n".join(
            [f"<table><caption>{html.escape(self.caption)}</caption>", f"<thead><tr>{cells}</tr></thead>", "<tbody>",
             *rows, "</tbody></table>"]
        )  # fmt: skip
