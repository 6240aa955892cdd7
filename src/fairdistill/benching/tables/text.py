"""The table of a grid as text, Markdown, LaTeX, CSV and HTML; percent in all of them."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Mapping

from fairdistill.benching.tables.options import Format
from fairdistill.benching.tables.result import Measured, TableResult, TableRow
from fairdistill.metrics import METRICS
from fairdistill.text import tables
from fairdistill.text.numbers import mean_sd


def render(result: TableResult) -> str:
    """Return the table with aligned columns for a terminal."""
    return "\n".join([*tables.aligned(_rows(result)), "", _caption(result)])


def markdown(result: TableResult) -> str:
    """Return the table as Markdown."""
    return f"{tables.markdown(_rows(result))}\n\n{_caption(result)}"


def latex(result: TableResult) -> str:
    """Return the table as LaTeX."""
    return tables.latex(_rows(result), _caption(result))


def comma_separated(result: TableResult) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(result))
    return text.getvalue().rstrip("\n")


def as_html(result: TableResult) -> str:
    """Return the table as an HTML element."""
    head, *body = _rows(result)
    cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    rows = [
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in body
    ]
    return "\n".join(
        [f"<table><caption>{html.escape(_caption(result))}</caption>", f"<thead><tr>{cells}</tr></thead>", "<tbody>",
         *rows, "</tbody></table>"]
    )  # fmt: skip


def formatted(result: TableResult, format: Format) -> str:
    """Return the table in the format of ``--format``."""
    writers: Mapping[Format, Callable[[TableResult], str]] = {
        "text": render, "md": markdown, "latex": latex, "csv": comma_separated, "html": as_html,
    }  # fmt: skip
    return writers[format](result)


def _rows(result: TableResult) -> list[tuple[str, ...]]:
    header = ["Method", "n"]
    for name in METRICS.values():
        header += [name, "published"] if result.published else [name]
    rows = [(*header, "Steps", "Images seen")]
    for row in result.rows:
        metrics = [row.metric(name) for name in METRICS]
        cells = [cell for metric in metrics for cell in _cells(metric)[: 2 if result.published else 1]]
        rows.append((_label(row), str(len(row.seeds)), *cells, f"{row.steps:,}", f"{row.samples:,}"))
    return rows


def _label(row: TableRow) -> str:
    return row.method + (f" [at chance level: seed {', '.join(map(str, row.at_chance))}]" if row.at_chance else "")


def _cells(metric: Measured) -> tuple[str, str]:
    measured = mean_sd(metric.mean, metric.sd) + (" *" if metric.differs else "")
    published = metric.published
    return measured, "not published" if published is None else mean_sd(published.mean, published.sd)


def _caption(result: TableResult) -> str:
    caption = (
        f"{result.data}; {result.protocol} protocol; test set, percent, mean ± sd over n seeds (ddof 1). "
        f"{'; '.join(result.made_with)}."
    )
    if result.published:
        caption += (
            " Published: Jung et al. (CVPR 2021), supplement, mean ± sd of 4 runs (ddof 0); * differs by more than "
            "both spreads."
        )
    return caption
