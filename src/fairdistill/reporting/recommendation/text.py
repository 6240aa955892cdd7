"""What a recommendation's page and card say in words of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fairdistill.auditing import WorstSubgroup
from fairdistill.metrics import Change
from fairdistill.reporting.recommendation.content import Family, Recommendation, Verdict
from fairdistill.text.numbers import p_value, percent

VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "use": ("\u2713", "Use the new model"),
    "fair": ("=", "Keep your model: it is fair enough"),
    "unproven": ("!", "Unfair, and nothing better was proven"),
    "undecided": ("?", "Cannot tell yet"),
}
"""Each verdict's sign and its words."""

FAMILIES: Mapping[Family, str] = {
    "deployed": "your model",
    "head": "last layer changed",
    "line": "between two models",
    "correction": "outputs corrected for each group",
    "student": "whole network trained",
}
"""Each kind of model in a few words."""


def certainty(content: Recommendation) -> list[str]:
    """Return how sure the answer is, in sentences: of the change, or of the gap if no other model was tested."""
    if content.change is None:
        gap = content.before.deo_a
        if math.isnan(gap.value):
            return []
        return [
            f"With {100 * content.confidence:g}% confidence, the gap lies between {percent(gap.low)} and "
            f"{percent(gap.high)} points. On this test set, a perfectly fair model would show {percent(gap.floor)} on "
            "average."
        ]
    images = f"on {content.rows:,} test images that played no part in the choice"
    gap_line = "Whether the gap changed is unknown, because a subgroup has no test images."
    if not math.isnan(content.change.deo_a.value):
        gap_line = f"The gap {_moved(content.change.deo_a, content.confidence, 'shrank', 'grew')} {images}."
    return [gap_line, f"The accuracy {_moved(content.change.accuracy, content.confidence, 'fell', 'rose')}."]


def _moved(change: Change, confidence: float, down: str, up: str) -> str:
    """Return whether a value changed significantly, and in which direction."""
    if change.p_value > 1 - confidence:
        return f"did not change significantly (p {p_value(change.p_value)})"
    return f"{down if change.value < 0 else up} significantly (p {p_value(change.p_value)})"


def worst_served(content: Recommendation) -> str:
    """Return which subgroup is recognised least often, before and after."""
    names = [_name(each.worst_subgroup) for each in (content.before, content.after) if each is not None]
    return ", then ".join(dict.fromkeys(names)) + "."


def _name(worst: WorstSubgroup) -> str:
    return "undefined" if worst.group is None else f"{worst.class_name} of {worst.group}"


def subject(content: Recommendation) -> str:
    """Return the path of the model that the recommendation is to use."""
    return content.file or content.deployed
