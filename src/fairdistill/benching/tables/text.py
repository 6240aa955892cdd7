"""The table of a grid as text, Markdown, LaTeX, CSV and HTML; percent in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairdistill.benching.tables.options import Format
from fairdistill.benching.tables.result import Measured, TableResult, TableRow
from fairdistill.metrics import METRICS
from fairdistill.text import tables
from fairdistill.text.captioned import CaptionedTable
from fairdistill.text.numbers import mean_sd


def render(result: TableResult) -> str:
    """Return the table with aligned columns for a terminal."""
    table = _table(result)
    return "\n".join([*tables.aligned(table.rows), "", table.caption])


def formatted(result: TableResult, format: Format) -> str:
    """Return the table in the format of ``--format``."""
    table = _table(result)
    writers: Mapping[Format, Callable[[], str]] = {
        "text": lambda: render(result), "md": table.markdown, "latex": table.latex, "csv": table.comma_separated,
        "html": table.as_html,
    }  # fmt: skip
    return writers[format]()


def _table(result: TableResult) -> CaptionedTable:
    return CaptionedTable(_rows(result), _caption(result))


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
    if not row.at_chance:
        return row.method
    seeds = "seed" if len(row.at_chance) == 1 else "seeds"
    return f"{row.method} [at chance level: {seeds} {', '.join(map(str, row.at_chance))}]"


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
