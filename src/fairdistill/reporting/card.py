"""The model card of a report, as Markdown."""

from __future__ import annotations

from fairdistill.reporting.card_head import card_head
from fairdistill.reporting.result import ReportContent
from fairdistill.reporting.templates import template
from fairdistill.reporting.text import sentences


def card(content: ReportContent) -> str:
    """Return the model card; nothing in the users' texts is taken for Markdown."""
    values = {
        row.label: {"accuracy": row.accuracy.value, "deo_a": row.deo_a.value, "deo_m": row.deo_m.value}
        for row in content.rows
    }
    text: str = template("card.md.j2", escape=False).render(content=content, sentences=sentences(content))
    return f"{card_head(values, data=content.data)}\n\n{text.strip()}\n"
