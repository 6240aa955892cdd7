"""The data behind the figures of the page; ``recommendation/page.js`` draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fairdistill.contract import Result
from fairdistill.reporting.recommendation.content import Family, FrontPoint, Recommendation
from fairdistill.reporting.recommendation.subgroups import SubgroupLine, subgroup_lines
from fairdistill.reporting.recommendation.text import FAMILIES


@dataclass(frozen=True, kw_only=True)
class Figures(Result):
    """The data of all figures.

    Attributes:
        class_names, group_names: in the order of every ``[G][C]``.
        points: the models whose two values are defined.
        families: words for each kind of model.
        picked: the candidate that the search picked; None if it picked none.
        lines: every subgroup, group by group.
    """

    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    points: tuple[FrontPoint, ...]
    families: Mapping[Family, str]
    picked: str | None
    lines: tuple[SubgroupLine, ...]


def figures_of(content: Recommendation) -> Figures:
    """Return what the figures show of a recommendation."""
    picked = content.picked
    return Figures(
        class_names=content.class_names,
        group_names=content.group_names,
        points=tuple(each for each in content.points if math.isfinite(each.balanced_accuracy + each.deo_a)),
        families=FAMILIES,
        picked=None if picked is None else picked.name,
        lines=subgroup_lines(content),
    )
