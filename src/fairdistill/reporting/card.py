"""The model card of a report, as Markdown."""

from __future__ import annotations

from fairdistill.reporting.result import ReportContent
from fairdistill.reporting.templates import template
from fairdistill.reporting.text import sentences


def card(content: ReportContent) -> str:
    """Return the model card; nothing in the users' texts is taken for Markdown."""
    text: str = template("card.md.j2", escape=False).render(content=content, sentences=sentences(content))
    return text.strip() + "\n"
