"""The HTML page of a report: one file that loads nothing from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from fairdistill.reporting.card import card
from fairdistill.reporting.figures import Figures
from fairdistill.reporting.result import ReportContent
from fairdistill.reporting.templates import template
from fairdistill.reporting.text import sentences
from fairdistill.runs import finite_or_null


def page(content: ReportContent) -> str:
    """Return the HTML page; text from users is escaped."""
    from plotly.offline import get_plotlyjs

    folder = Path(__file__).parent
    text: str = template("page.html.j2", escape=True).render(
        content=content,
        sentences=sentences(content),
        card=card(content),
        plotly=get_plotlyjs(),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        data=_in_script(content.figures),
    )
    return text


def _in_script(figures: Figures) -> str:
    """Return JSON that cannot end the script element it stands in."""
    values = finite_or_null(figures.to_dict())
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
