"""Each subgroup before and after, joined from the two models and their change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.auditing import SubgroupChange
from fairdistill.contract import Result, key
from fairdistill.reporting.recommendation.content import Recommendation
from fairdistill.reporting.recommendation.text import subgroup_name
from fairdistill.reporting.templates import minus
from fairdistill.text.lists import listed

_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class SubgroupLine(Result):
    """One class of one group on the test set.

    Attributes:
        group, class_name: which one.
        rows: its test images.
        before: accuracy of the deployed model; NaN without an image.
        after: accuracy of the candidate; None if there is none.
        change: the change with its interval; None if there is none.
    """

    group: str
    class_name: str = key("class")
    rows: int
    before: float
    after: float | None
    change: SubgroupChange | None

    @property
    def name(self) -> str:
        """Name, for tables."""
        return subgroup_name(self.class_name, self.group)

    @property
    def word(self) -> str:
        """Whether it got significantly better or worse, in words; empty without a change."""
        if self.change is None:
            return ""
        return "worse" if self.change.harmed else "better" if self.change.helped else "no clear change"


def subgroup_lines(content: Recommendation) -> tuple[SubgroupLine, ...]:
    """Return every subgroup, group by group."""
    cells = () if content.change is None else content.change.cells
    changes = {(cell.group, cell.class_name): cell for cell in cells}
    return tuple(
        SubgroupLine(
            group=group,
            class_name=name,
            rows=content.cells[at][label],
            before=content.before.cells[at][label],
            after=None if content.after is None else content.after.cells[at][label],
            change=changes.get((group, name)),
        )
        for at, group in enumerate(content.group_names)
        for label, name in enumerate(content.class_names)
    )


def worst_first(lines: tuple[SubgroupLine, ...]) -> list[SubgroupLine]:
    """Return subgroups with the lowest accuracy of the deployed model first; those without an image last."""
    return sorted(lines, key=lambda line: math.inf if math.isnan(line.before) else line.before)


def worse_then_better(lines: Sequence[SubgroupLine]) -> list[str]:
    """Return the subgroups that got significantly worse, then those that got better, the largest changes first."""
    sentences = []
    for word in ("worse", "better"):
        changes = [(line.name, line.change.value) for line in lines if line.change is not None and line.word == word]
        each = [f"{name} {minus(value)}" for name, value in sorted(changes, key=lambda change: -abs(change[1]))]
        if each:
            sentences.append(f"{word.capitalize()}: {listed(each, _NAMED)}.")
    return sentences
