"""The HTML page of a recommendation."""

from __future__ import annotations

from collections import Counter

from fairdistill.auditing.text import no_harm
from fairdistill.reporting.html import html
from fairdistill.reporting.recommendation.card import recommendation_card
from fairdistill.reporting.recommendation.content import CandidateResult, Recommendation
from fairdistill.reporting.recommendation.figures import figures_of
from fairdistill.reporting.recommendation.subgroups import worse_then_better, worst_first
from fairdistill.reporting.recommendation.text import FAMILIES, VERDICTS, certainty, subject, worst_served

_SHOWN = 16  # candidates in the first table
_DRAWN = 60  # subgroups with a line each in the picture


def recommendation_page(content: Recommendation) -> str:
    """Return one self-contained HTML page; text from users is escaped.

    Its first screen is the recommendation: the verdict, what changes and for whom, how sure that is, what it costs, and
    the file.
    """
    figures = figures_of(content)
    shown, folded = _tables(content)
    sign, words = VERDICTS[content.verdict]
    return html(
        "recommendation/page.html.j2",
        figures,
        styles=("page.css", "recommendation/page.css"),
        scripts=("drawing.js", "recommendation/page.js"),
        values={
            "content": content,
            "figures": figures,
            "sign": sign,
            "verdict": words,
            "subject": subject(content),
            "certainty": certainty(content),
            "worst": worst_served(content),
            "counts": Counter(line.word for line in figures.lines),
            "who": worse_then_better(figures.lines),
            "harm": [] if content.change is None else no_harm(content.change),
            "shown": shown,
            "folded": folded,
            "families": FAMILIES,
            "lines": worst_first(figures.lines),
            "drawn": len(figures.lines) <= _DRAWN,
            "card": recommendation_card(content),
        },
    )


def _tables(content: Recommendation) -> tuple[list[CandidateResult], list[CandidateResult]]:
    """Return the candidates to show at once, and those to fold away: all but the front if there are many."""
    shown: list[CandidateResult] = []
    folded: list[CandidateResult] = []
    for row in content.candidates:
        first = row.family == "deployed" or row.name == content.chosen or row.on_front
        (shown if first or len(content.candidates) <= _SHOWN else folded).append(row)
    return shown, folded
