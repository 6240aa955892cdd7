"""What a recommendation's page and card say in words of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fairdistill.auditing import WorstSubgroup
from fairdistill.reporting.recommendation.content import Family, Outcome, Recommendation
from fairdistill.text.numbers import p_value, percent

VERDICTS: Mapping[Outcome, tuple[str, str]] = {
    "use": ("\u2713", "Recommended"),
    "fair": ("=", "Fair enough"),
    "unproven": ("!", "Nothing better proven"),
    "undecided": ("?", "Undecided"),
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
    gap_change = content.change.deo_a
    if math.isnan(gap_change.value):
        return ["Whether the gap changed is unknown, because a subgroup has no test images."]
    moved = "did not change significantly"
    if gap_change.low > 0 or gap_change.high < 0:
        moved = f"{'shrank' if gap_change.high < 0 else 'grew'} significantly"
    return [f"On {content.rows:,} test images, the gap {moved} (p {p_value(gap_change.p_value)})."]


def worst_served(content: Recommendation) -> str:
    """Return which subgroup is recognised least often, before and after."""
    names = [_name(each.worst_subgroup) for each in (content.before, content.after) if each is not None]
    return ", then ".join(dict.fromkeys(names)) + "."


def _name(worst: WorstSubgroup) -> str:
    if worst.class_name is None or worst.group is None:
        return "undefined"
    return subgroup_name(worst.class_name, worst.group)


def subgroup_name(class_name: str, group: str) -> str:
    """Return the name of a subgroup, for example ``cat (indoors)``."""
    return f"{class_name} ({group})"


def subject(content: Recommendation) -> str:
    """Return the path of the model that the recommendation is to use."""
    return content.file or content.deployed
