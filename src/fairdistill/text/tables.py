"""Rows of cells as text: aligned lines, Markdown, LaTeX. The first row is the heading."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fairdistill.escaping import cell, one_line
from fairdistill.text.markup import table


def aligned(rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,)) -> list[str]:
    """Return each row as a line; columns in ``left`` are aligned left, all others right.

    Example:
        >>> aligned([("Class", "rows"), ("cat", "7")])
        ['Class  rows', 'cat       7']
    """
    rows = [tuple(map(cell, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if at in left else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned right.

    Example:
        >>> print(markdown([("Class", "rows"), ("cat", "7")]))
        | Class | rows |
        | --- | ---: |
        | cat | 7 |
    """
    return table([[one_line(text).replace("|", "\\|") for text in row] for row in rows])


def latex(rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return a LaTeX booktabs table with the caption as a comment."""
    head, *body = (" & ".join(map(_latex_escaped, row)) + r" \\" for row in rows)
    columns = "l" + "r" * (len(rows[0]) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            f"% {one_line(caption)}",
        ]
    )


_IN_LATEX = str.maketrans({
    **{sign: f"\\{sign}" for sign in "_%&#${}"}, **{sign: f"${sign}$" for sign in "<>|"}, "±": r"$\pm$",
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
})  # fmt: skip


def _latex_escaped(text: str) -> str:
    return one_line(text).translate(_IN_LATEX)
