"""The change from one model to another, as values."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.metrics.estimate import Estimate

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """A difference, the second model's value minus the first's; fractions, NaN where undefined.

    Attributes:
        value: as observed.
        low: lower end of its interval.
        high: upper end.
        p_value: of the hypothesis that there is no difference, two-sided.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class GapChange(Change):
    """The difference between the gaps of two models.

    The p-value is at most one minus the confidence if and only if the interval excludes 0. Chance adds to both observed
    gaps, but not equally, so the observed difference may lie outside the interval.

    Attributes:
        estimate: the difference corrected for what chance adds.
    """

    estimate: float


@dataclass(frozen=True)
class CellChange(Change):
    """The change in one subgroup's accuracy.

    Attributes:
        group: the subgroup's group.
        label: its class.
        rows: its samples.
        adjusted_p_value: corrected for the number of subgroups (Holm).
        level: largest adjusted p-value of a significant change: one minus the confidence.
    """

    group: int
    label: int
    rows: int
    adjusted_p_value: float
    level: float

    @property
    def harmed(self) -> bool:
        """Whether the accuracy fell significantly, over all subgroups together."""
        return self.value < 0 and self.adjusted_p_value <= self.level

    @property
    def helped(self) -> bool:
        """Whether it rose significantly."""
        return self.value > 0 and self.adjusted_p_value <= self.level


@dataclass(frozen=True)
class Paired:
    """The changes from the first model to the second.

    Attributes:
        accuracy: fraction of correct samples.
        balanced_accuracy: the mean accuracy of the subgroups; undefined if one is empty.
        deo_a: the mean over classes of the gap.
        deo_m: the largest gap.
        cells: each subgroup with samples.
        worst_groups: change in the mean over the classes of the worst group's accuracy; DEO_A changes by
            ``best_groups`` minus this.
        best_groups: change in the mean over the classes of the best group's accuracy.
        share_levelled_down: how much of a smaller DEO_A comes from the best groups getting worse, in [0, 1]; NaN if it
            did not shrink.
    """

    accuracy: Change
    balanced_accuracy: Change
    deo_a: GapChange
    deo_m: GapChange
    cells: tuple[CellChange, ...]
    worst_groups: Estimate
    best_groups: Estimate
    share_levelled_down: Estimate

    @property
    def levels_down(self) -> bool:
        """Whether DEO_A shrank although the worst groups gained nothing.

        Both are claimed only where the intervals show them: that of the change of DEO_A lies below 0, and that of the
        worst groups' change does not reach above it.
        """
        return self.deo_a.value < -_ROUNDING and self.deo_a.high < 0 and self.worst_groups.high <= _ROUNDING
