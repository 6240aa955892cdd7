"""A comparison as text, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

from fairdistill.comparing.options import Format
from fairdistill.comparing.result import CompareResult, OverSeeds
from fairdistill.metrics import METRICS
from fairdistill.runs import finite_or_null, json_text
from fairdistill.text import tables
from fairdistill.text.captioned import CaptionedTable
from fairdistill.text.numbers import mean_sd

_HEADER = ("Method", "n", *METRICS.values(), "Steps", "Images seen")


def render(result: CompareResult) -> str:
    """Return the comparison as an aligned table for a terminal, in percent."""
    table = _table(result)
    lines = tables.aligned(table.rows)
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, table.caption])


def formatted(result: CompareResult, format: Format) -> str:
    """Return the comparison in the format of ``--format``; CSV and JSON hold fractions, all others percent."""
    table = _table(result)
    writers: Mapping[Format, Callable[[], str]] = {
        "text": lambda: render(result),
        "md": table.markdown,
        "csv": lambda: _fractions(result),
        "latex": table.latex,
        "json": lambda: json_text(result.to_dict()),
    }
    return writers[format]()


def _fractions(result: CompareResult) -> str:
    """Return the comparison as CSV; undefined values are empty."""
    text = io.StringIO()
    records = [row.record() for row in result.rows]
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow(
            {
                name: " ".join(map(str, value)) if isinstance(value, list) else finite_or_null(value)
                for name, value in record.items()
            }
        )
    return text.getvalue().rstrip("\n")


def _table(result: CompareResult) -> CaptionedTable:
    return CaptionedTable([_HEADER, *_cells(result)], _caption(result))


def _cells(result: CompareResult) -> list[tuple[str, ...]]:
    rows = []
    for row in result.rows:
        seeds_of = {"": row.collapsed, **{f" for {name}": seeds for name, seeds in row.collapsed_attributes.items()}}
        said = [f"one class only{of}: seed {', '.join(map(str, seeds))}" for of, seeds in seeds_of.items() if seeds]
        mark = f" [{'; '.join(said)}]" if said else ""
        metrics = [_percent(row.metric(name)) for name in METRICS]
        rows.append((row.label + mark, str(len(row.seeds)), *metrics, f"{row.steps:,}", f"{row.samples:,}"))
    return rows


def _percent(metric: OverSeeds) -> str:
    return mean_sd(metric.mean, metric.sd)


def _caption(result: CompareResult) -> str:
    seeds = sorted({seed for row in result.rows for seed in row.seeds})
    many = any(len(row.seeds) > 1 for row in result.rows)
    spread = "mean ± sd over n seeds (ddof 1)" if many else "one seed each, so the spread is unknown"
    return (
        f"{result.data}; {result.protocol} protocol; test set, percent, {spread}; "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}. {'; '.join(result.made_with)}."
    )
