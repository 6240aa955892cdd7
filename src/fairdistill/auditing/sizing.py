"""What gap a test set can show, and how many samples smaller gaps would need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairdistill.auditing.result import GroupResolved, RowsNeeded, Sizing
from fairdistill.escaping import one_line
from fairdistill.metrics import Resampled, gap_resolved, rows_to_resolve
from fairdistill.metrics.sizing import gaps_detected, rows_to_detect
from fairdistill.text.numbers import percent

_RESOLVED = (0.02, 0.05, 0.1)
_POWER = 0.8
_NAMED = 6


def sizing(
    rows: ArrayLike, accuracy: float, confidence: float, group_names: Sequence[str], *, worth: Worth | None = None
) -> Sizing:
    """Return what gaps a test set can show, for pairs of subgroups and for the audit's test of all groups.

    Args:
        rows: integer ``[G, C]``: samples of each subgroup.
        accuracy: of the model.
        confidence: of the audit.
        group_names: one name per group.
        worth: how many independent samples they are worth, if there are fewer.
    """
    counts = np.asarray(rows)
    worth = Worth(rows=counts.astype(np.float64)) if worth is None else worth
    per_sample = float(worth.rows.sum() / counts.sum()) if counts.sum() else 1.0
    given = {"accuracy": accuracy, "confidence": confidence, "power": _POWER}
    of_test = {**given, "correlation": worth.correlation}
    groups = gaps_detected(worth.rows, **of_test).tolist()

    def needed(independent: int) -> int:
        return int(np.ceil(independent / per_sample))

    return Sizing(
        power=_POWER,
        smallest_cell=int(counts.min()),
        gap_resolved=gap_resolved(int(worth.rows.min()), **given),
        rows_needed=tuple(RowsNeeded(gap=gap, rows=needed(rows_to_resolve(gap, **given))) for gap in _RESOLVED),
        deo_a_resolved=max(groups),
        groups=tuple(GroupResolved(group=name, gap=gap) for name, gap in zip(group_names, groups, strict=True)),
        deo_a_rows_needed=tuple(
            RowsNeeded(
                gap=gap, rows=needed(rows_to_detect(gap, groups=len(counts), classes=counts.shape[1], **of_test))
            )
            for gap in _RESOLVED
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """How many independent samples those of a test set are worth.

    Attributes:
        rows: float64 ``[G, C]``: for differences between the groups of a class, which pictures that are in several
            groups make more precise.
        correlation: of the differences in two classes; people with pictures of several classes make them alike.
    """

    rows: NDArray[np.float64]
    correlation: float = 0.0

    @classmethod
    def of(cls, sample: Resampled) -> Worth:
        """Return what the samples are worth, from drawn test sets."""
        rows = np.asarray(sample.effective_rows[0])
        filled = (sample.rows > 0).all(axis=0)
        if sample.independent or not filled.any():
            return cls(rows=rows)
        noise = sample.noise.mean(axis=1)[..., filled]
        classes = noise.shape[-1]
        apart = noise - noise.mean(axis=1, keepdims=True)
        variance = float(apart.var(axis=0).sum())
        if variance == 0:
            return cls(rows=rows)
        ratio = float((1 - 1 / len(sample.rows)) * noise.var(axis=0).sum()) / variance
        together = float(apart.sum(axis=-1).var(axis=0).sum()) / variance  # 1 if classes are independent
        correlation = (together - 1) / (classes - 1) if classes > 1 else 0.0
        return cls(rows=rows * ratio, correlation=round(min(max(correlation, 0.0), 0.95), 2))


def sizing_in_words(sizing: Sizing, *, samples: str = "samples") -> list[str]:
    """Return what a test set can show, in sentences."""
    smallest = f"{sizing.smallest_cell:,} {samples.removesuffix('s') if sizing.smallest_cell == 1 else samples}"
    resolved = f"enough to detect a gap of {percent(sizing.gap_resolved)} points between two subgroups"
    if sizing.gap_resolved >= 1:
        resolved = "too few to detect any gap"
    needed = "; ".join(f"{percent(each.gap, 0)} points: {each.rows:,}" for each in sizing.deo_a_rows_needed)
    return [
        f"The smallest subgroup has {smallest}, {resolved}.",
        *map(one_line, _groups(sizing)),
        f"{samples.capitalize()} per subgroup needed to detect that one group is behind in every class by {needed}.",
    ]


def _groups(sizing: Sizing) -> list[str]:
    known = [each for each in sizing.groups if each.gap < 1]
    if not known:
        return []
    detected = (
        f"A group that is behind all others in every class is detected in {percent(sizing.power, 0)}% of audits like "
        "this one if it is behind by at least"
    )
    if len(sizing.groups) > _NAMED:
        least, most = (choose(known, key=lambda each: each.gap) for choose in (min, max))
        return [
            f"{detected} {percent(least.gap)} points ({least.group}) to {percent(most.gap)} points ({most.group}), "
            "depending on the group."
        ]
    never = [each.group for each in sizing.groups if each.gap >= 1]
    named = ", ".join(f"{percent(each.gap)} points ({each.group})" for each in known)
    return [f"{detected} {named}{f'; {never[0]} never is' if len(never) == 1 else ''}."]
