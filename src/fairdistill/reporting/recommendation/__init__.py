"""One recommendation as an HTML page and as a model card, without any run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face

if TYPE_CHECKING:
    from fairdistill.reporting.recommendation.card import recommendation_card
    from fairdistill.reporting.recommendation.content import (
        CandidateResult,
        Family,
        FrontPoint,
        OnTest,
        Outcome,
        Recommendation,
    )
    from fairdistill.reporting.recommendation.page import recommendation_page

__all__ = [
    "CandidateResult",
    "Family",
    "FrontPoint",
    "OnTest",
    "Outcome",
    "Recommendation",
    "recommendation_card",
    "recommendation_page",
]  # fmt: skip

__getattr__ = lazy_face(
    __name__,
    {
        "card": ("recommendation_card",),
        "content": ("CandidateResult", "Family", "FrontPoint", "OnTest", "Outcome", "Recommendation"),
        "page": ("recommendation_page",),
    },
)
