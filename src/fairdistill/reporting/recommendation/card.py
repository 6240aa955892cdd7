"""The model card of the recommended model, as Markdown."""

from __future__ import annotations

from fairdistill.reporting.card_head import card_head
from fairdistill.reporting.recommendation.content import Recommendation
from fairdistill.reporting.recommendation.subgroups import subgroup_lines
from fairdistill.reporting.recommendation.text import certainty, subject
from fairdistill.reporting.templates import template


def recommendation_card(content: Recommendation) -> str:
    """Return the model card of the model to use; nothing in the users' texts is taken for Markdown.

    The sections follow Mitchell et al., "Model Cards for Model Reporting" (2019).
    """
    of_this = content.after if content.verdict == "use" and content.after is not None else content.before
    values = {name: getattr(of_this, name).value for name in ("accuracy", "deo_a", "deo_m", "worst_subgroup")}
    text: str = template("recommendation/card.md.j2", escape=False).render(
        content=content,
        subject=subject(content),
        certainty=certainty(content),
        lines=subgroup_lines(content),
    )
    head = card_head({subject(content): values}, data=content.data)
    return f"{head}\n\n{text.strip()}\n"
