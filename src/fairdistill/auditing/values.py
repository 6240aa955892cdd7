"""Values of an audit that come with the names of the group and the class that they are of."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.contract import Result, key
from fairdistill.metrics import Estimate, Gap


@dataclass(frozen=True, kw_only=True)
class WorstGroup(Estimate):
    """The accuracy of the worst group, and which group it is; None where undefined."""

    group: str | None


@dataclass(frozen=True, kw_only=True)
class WorstSubgroup(Result, Estimate):
    """The accuracy of the worst class of a group, and which group it is; None where undefined."""

    group: str | None
    class_name: str | None = key("class")


@dataclass(frozen=True, kw_only=True)
class CompleteGap(Gap):
    """DEO_A or DEO_M over the classes of which every group has samples, and which classes these are."""

    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ImpactRatio(Result, Estimate):
    """How often a group is selected, by how often the most selected group is; None where undefined.

    Its interval takes the most selected group as given.

    Attributes:
        group: the group.
        class_name: the class that means being selected: of several, the one with the smallest ratio.
        reference: the group that is selected most.
    """

    group: str | None
    class_name: str | None = key("class")
    reference: str | None


def place_of(found: WorstSubgroup | ImpactRatio) -> str:
    """Return the class and the group that a value is of, for tables; empty where it is undefined."""
    return ", ".join(name for name in (found.class_name, found.group) if name is not None)
