"""The methods that fit a head, by name, with the settings that are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fairdistill.heads.afr import afr_head
from fairdistill.heads.blind import blind_head
from fairdistill.heads.fair import balanced_head, fair_head
from fairdistill.heads.feature_mfd import MOST_FEATURES, feature_mfd_head
from fairdistill.heads.head import Head
from fairdistill.heads.independent import independent_head
from fairdistill.heads.linearpost import linearpost_head
from fairdistill.heads.problem import Problem

Fit = Callable[..., Head]
"""Fits a head of the standardized features to a :class:`Problem`, with the settings as keywords."""


@dataclass(frozen=True, kw_only=True)
class HeadMethod:
    """One way to fit a last layer.

    Attributes:
        description: what it is, for sentences that start with "the last layer".
        fit: the function.
        settings: every combination of settings that is tried, the most promising first.
        uses_groups: whether the fit reads group labels.
        every_class_in_every_group: whether it needs rows of every subgroup.
        most_features: how many features it takes; None if there is no limit.
    """

    description: str
    fit: Fit
    settings: tuple[Mapping[str, float], ...] = ({},)
    uses_groups: bool = True
    every_class_in_every_group: bool = False
    most_features: int | None = None

    def obstacle(self, problem: Problem) -> str | None:
        """Return why the method cannot be fitted to these rows, None if it can."""
        size = len(problem.features.mean)
        if int((problem.cells.sum(1) > 0).sum() if self.uses_groups else len(problem.labels.unique())) < 2:
            return "it needs at least two classes" + (" with known groups" if self.uses_groups else "")
        if self.uses_groups and int((problem.cells.sum(0) > 0).sum()) < 2:
            return "it needs at least two groups"
        if self.every_class_in_every_group and bool((problem.cells == 0).any()):
            return "it needs samples of every class in every group"
        if self.most_features is not None and size > self.most_features:
            return f"it takes at most {self.most_features:,} features, and the last layer has {size:,}"
        return None


def _grid(name: str, *values: float) -> tuple[Mapping[str, Any], ...]:
    return tuple(MappingProxyType({name: value}) for value in values)


HEAD_METHODS: Mapping[str, HeadMethod] = MappingProxyType(
    {
        "balanced": HeadMethod(
            description="fitted again with equal weight for every subgroup",
            fit=balanced_head,
        ),
        "fair": HeadMethod(
            description="fitted again with equal weight for every subgroup and a penalty on the gap between groups",
            fit=fair_head,
            settings=_grid("strength", 0.3, 1.0, 0.1, 3.0),
        ),
        "blind": HeadMethod(
            description="corrected for how often each subgroup occurs, without seeing the group",
            fit=blind_head,
            settings=_grid("power", 1.0, 0.5),
        ),
        "domain-independent": HeadMethod(
            description="the mean of one last layer per group",
            fit=independent_head,
            every_class_in_every_group=True,
        ),
        "linearpost": HeadMethod(
            description="fitted to decisions that are right nearly equally often in all groups",
            fit=linearpost_head,
            settings=_grid("tolerance", 0.05, 0.1),
        ),
        "afr": HeadMethod(
            description="fitted again with more weight for what it gets wrong, without group labels",
            fit=afr_head,
            settings=_grid("gamma", 1.0, 2.0),
            uses_groups=False,
        ),
        "feature-mfd": HeadMethod(
            description="behind a linear map that brings the groups' features of each class together",
            fit=feature_mfd_head,
            settings=_grid("strength", 3.0),
            most_features=MOST_FEATURES,
        ),
    }
)
"""Every method, the most promising first."""
