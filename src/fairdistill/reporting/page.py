"""The HTML page of a report."""

from __future__ import annotations

from fairdistill.reporting.card import card
from fairdistill.reporting.html import html
from fairdistill.reporting.result import ReportContent
from fairdistill.reporting.text import sentences


def page(content: ReportContent) -> str:
    """Return the HTML page; text from users is escaped."""
    return html(
        "page.html.j2",
        content.figures,
        styles=("page.css",),
        scripts=("drawing.js", "page.js"),
        values={"content": content, "sentences": sentences(content), "card": card(content)},
    )
