"""One recommendation as an HTML page and as a model card, without any run folder."""

from __future__ import annotations

from fairdistill.reporting.recommendation.content import (
    CandidateRow,
    Family,
    FrontPoint,
    OnTest,
    Recommendation,
    Verdict,
)

__all__ = ["CandidateRow", "Family", "FrontPoint", "OnTest", "Recommendation", "Verdict"]
