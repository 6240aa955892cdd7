"""Who is treated worst: two groups of one class, in counts of 100 that anybody can picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairdistill.auditing import AuditResult
from fairdistill.auditing.result import SubgroupAudit
from fairdistill.auditing.subgroup_text import FEW
from fairdistill.contract import Result, key


@dataclass(frozen=True, kw_only=True)
class Treated(Result):
    """One subgroup, and which fraction of its images is classified correctly.

    Attributes:
        group: of the subgroup.
        rows: its images.
        share: classified correctly by the deployed model; for fewer than 50 images the audit's pooled estimate.
        share_after: the same by the recommended model; None without one.
    """

    group: str
    rows: int
    share: float
    share_after: float | None

    @property
    def few(self) -> bool:
        """Whether it has so few images that the share is a pooled estimate."""
        return self.rows < FEW


@dataclass(frozen=True, kw_only=True)
class Treatment(Result):
    """The class in which the groups differ most, and its worst and best group."""

    class_name: str = key("class")
    worst: Treated
    best: Treated


def treatment(before: AuditResult, after: AuditResult | None = None) -> Treatment | None:
    """Return who the deployed model treats worst, and how the recommended model treats them.

    Of the subgroups with images, it is the worst and the best group of the class whose groups are furthest apart.

    Args:
        before: audit of the deployed model.
        after: audit of the recommended model on the same images; None without one.

    Returns:
        None if no class has images of two groups.
    """
    known = [cell for cell in before.cells if cell.rows and not math.isnan(_share(cell))]
    others = {(cell.class_name, cell.group): cell for cell in (() if after is None else after.cells)}

    def treated(cell: SubgroupAudit) -> Treated:
        other = others.get((cell.class_name, cell.group))
        return Treated(
            group=cell.group, rows=cell.rows, share=_share(cell), share_after=None if other is None else _share(other)
        )

    pairs = []
    for name in before.class_names:
        cells = sorted((cell for cell in known if cell.class_name == name), key=_share)
        if len(cells) > 1:
            pairs.append((cells[0], cells[-1]))
    if not pairs:
        return None
    worst, best = max(pairs, key=lambda pair: _share(pair[1]) - _share(pair[0]))
    return Treatment(class_name=worst.class_name, worst=treated(worst), best=treated(best))


def _share(cell: SubgroupAudit) -> float:
    pooled = cell.pooled.value
    return pooled if cell.rows < FEW and not math.isnan(pooled) else cell.accuracy.value
