"""The result of an audit, as typed values; ``audit.json`` is :meth:`AuditResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fairdistill.auditing.selection import CategoryTable
from fairdistill.auditing.values import CompleteGap, ImpactRatio, WorstGroup, WorstSubgroup
from fairdistill.contract import Result, key
from fairdistill.drawing import Plotted
from fairdistill.metrics import Calibration, Change, Design, Estimate, Gap, GapChange
from fairdistill.metrics.test_set.sparse_counts import Table
from fairdistill.predictions.model_reading import ModelReading

FORMAT_VERSION = 2

Verdict = Literal["within", "beyond", "undecided"]
LimitedMetric = Literal["deo_a", "deo_m", "accuracy", "worst_gap", "harm"]
EXIT_CODES: Mapping[Verdict, int] = {"within": 0, "beyond": 1, "undecided": 3}


@dataclass(frozen=True, kw_only=True)
class AuditMetrics(Result):
    """The metrics of the whole test set, with intervals; fractions.

    Attributes:
        accuracy: over all samples.
        balanced_accuracy: mean over the subgroups.
        class_balanced_accuracy: mean over the classes.
        worst_group: of the groups.
        worst_cell: of the subgroups, one class of one group each.
        worst_gap: the accuracy of all samples minus that of the worst subgroup.
        deo_a: mean over the classes of the difference between groups.
        deo_m: largest over the classes.
        deo_a_complete: the mean over the classes of which every group has samples; ``deo_a`` if all are such.
        deo_m_complete: the largest over the same.
        demographic_parity: largest difference between groups in how often a class is predicted.
        equalised_odds: largest difference between groups in true- and false-positive rates.
        calibration_error: expected calibration error of all samples; None without probabilities.
        calibration: the same with its interval and floor, and the number of samples it is of.
        auc: area under the ROC curve, the mean over the classes, each against the rest; undefined without
            probabilities.
        brier: Brier score; undefined without probabilities.
        impact_ratio: the smallest of a group.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate
    class_balanced_accuracy: Estimate
    worst_group: WorstGroup
    worst_cell: WorstSubgroup
    worst_gap: Estimate
    deo_a: Gap
    deo_m: Gap
    deo_a_complete: CompleteGap
    deo_m_complete: CompleteGap
    demographic_parity: Gap
    equalised_odds: Gap
    calibration_error: float | None
    calibration: Calibration
    auc: Estimate
    brier: Estimate
    impact_ratio: ImpactRatio


@dataclass(frozen=True, kw_only=True)
class ClassAudit(Result):
    """One class: its samples, accuracy and the difference between groups."""

    class_name: str = key("class")
    rows: int
    accuracy: Estimate
    deo: Gap


@dataclass(frozen=True, kw_only=True)
class GroupAudit(Result):
    """One group: its samples, accuracy and calibration error (None without probabilities), with interval and floor.

    ``auc`` and ``brier`` are undefined without probabilities; ``impact_ratio`` is of the class with its smallest one,
    or of the positive class.
    """

    group: str
    rows: int
    accuracy: Estimate
    calibration_error: float | None
    calibration: Calibration
    auc: Estimate
    brier: Estimate
    impact_ratio: ImpactRatio


@dataclass(frozen=True, kw_only=True)
class SubgroupAudit(Result):
    """One class of one group: its samples and accuracy.

    ``pooled`` also uses what its class and its group show elsewhere; see :mod:`fairdistill.metrics.pooled`.
    """

    group: str
    class_name: str = key("class")
    rows: int
    accuracy: Estimate
    pooled: Estimate


@dataclass(frozen=True, kw_only=True)
class RowsNeeded(Result):
    """How many samples per subgroup are needed to detect a gap."""

    gap: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class GroupResolved(Result):
    """By how much a group must be behind all others in every class for the audit to detect it."""

    group: str
    gap: float


@dataclass(frozen=True, kw_only=True)
class Sizing(Result):
    """What gaps a test set can show, and how many samples smaller gaps would need.

    Attributes:
        power: how often a gap is detected.
        smallest_cell: samples of the smallest subgroup.
        gap_resolved: gap between two subgroups of that size that is detected.
        rows_needed: samples that each of two subgroups needs for smaller gaps.
        deo_a_resolved: DEO_A that the audit detects whichever single group is behind, the largest of ``groups``.
        groups: for each group, the DEO_A that the audit detects if it is behind all others, by as much in every class.
        deo_a_rows_needed: samples that each subgroup needs for the audit to detect a smaller DEO_A of that kind.
    """

    power: float
    smallest_cell: int
    gap_resolved: float
    rows_needed: tuple[RowsNeeded, ...]
    deo_a_resolved: float
    groups: tuple[GroupResolved, ...]
    deo_a_rows_needed: tuple[RowsNeeded, ...]


@dataclass(frozen=True, kw_only=True)
class LimitCheck(Result):
    """A limit and whether it is kept: within, beyond, or undecided where the data cannot tell.

    Attributes:
        metric: what is limited; ``worst_gap`` is the accuracy minus that of the worst subgroup, ``harm`` the largest
            fall of a subgroup's accuracy against another model.
        kind: whether the limit is the largest or the smallest value to accept.
        limit: the limit.
        verdict: whether it is kept.
        value: as observed; of ``harm``, that of the subgroup that decides.
        at_least: one-sided lower end of the metric; above a largest value to accept, that is exceeded.
        at_most: one-sided upper end; not above a largest value to accept, that is kept. The gap of a class that the
            model hardly ever predicts, and the accuracy of a subgroup without samples, count as unknown here, between
            0 and 1.
        group: of the subgroup that decides; None if the metric is not about one.
        class_name: its class.
    """

    metric: LimitedMetric
    kind: Literal["max", "min"]
    limit: float
    verdict: Verdict
    value: float
    at_least: float
    at_most: float
    group: str | None
    class_name: str | None = key("class")


@dataclass(frozen=True, kw_only=True)
class SubgroupChange(Result):
    """How the accuracy of one class of one group changes, and whether that is beyond chance over all of them."""

    group: str
    class_name: str = key("class")
    value: float
    low: float
    high: float
    p_value: float
    rows: int
    adjusted_p_value: float
    harmed: bool
    helped: bool


@dataclass(frozen=True, kw_only=True)
class ModelChange(Result, Plotted):
    """The change from one model to another on the same samples; see :class:`fairdistill.metrics.paired.changes.Paired`.

    Names that end in ``_low`` and ``_high`` are the ends of the interval of the value before them.
    """

    where: str | None = key(optional=True)
    accuracy: Change
    balanced_accuracy: Change
    deo_a: GapChange
    deo_m: GapChange
    cells: tuple[SubgroupChange, ...]
    worst_groups: float
    worst_groups_low: float
    worst_groups_high: float
    best_groups: float
    best_groups_low: float
    best_groups_high: float
    levels_down: bool
    share_levelled_down: float
    share_levelled_down_low: float
    share_levelled_down_high: float

    @property
    def shrank(self) -> bool:
        """Whether DEO_A shrank significantly; without that, nobody can say who paid for it."""
        return self.deo_a.high < 0


@dataclass(frozen=True, kw_only=True)
class CorrectionChange(Result):
    """The change from the model as it is to the corrected one."""

    accuracy: Change
    deo_a: GapChange
    deo_m: GapChange
    levels_down: bool


@dataclass(frozen=True, kw_only=True)
class Correction(Result):
    """A post-hoc baseline: decisions corrected for each group, fitted on validation samples."""

    method: str
    needs_group: bool
    thresholds: tuple[float, ...] | None = key(optional=True)
    offsets: tuple[tuple[float, ...], ...] | None = key(optional=True)
    accuracy: Estimate
    deo_a: Gap
    deo_m: Gap
    change: CorrectionChange


@dataclass(frozen=True, kw_only=True)
class AuditResult(Result, Plotted):
    """The result of an audit.

    Attributes:
        format_version: of the JSON.
        where: the source that was audited.
        rows: samples.
        unknown_groups: samples without a group label.
        sources: independent pictures or people among them.
        class_names, group_names: in the order of ``counts``.
        probability_columns: the table's column for each class, or a single one for two classes; None without any.
        positive: the class that means being selected, for impact ratios; None: every class in turn.
        confidence, draws, seed, design: of the intervals.
        metrics: of the whole test set.
        classes, groups, cells: one entry each; a cell is a subgroup, one class of one group.
        counts: ``[G][C][C]``: group, true class, predicted class; a table is made when it is asked for.
        empty_cells: (group, class) indices of subgroups without a sample.
        collapsed: whether a single class is predicted for every sample.
        hardly_predicted: classes that the model hardly ever predicts; see
            :func:`fairdistill.metrics.collapse.hardly_predicted`.
        sizing: what gap this test set can show.
        limits: the requested limits.
        allow_undecided: whether the exit code is 0 even if the data cannot tell whether a limit is kept.
        notes: what a reader should know about the predictions.
        model: how the model was read, None if it was not run for the audit.
        against: the change against another model, None without one.
        posthoc: the post-hoc baselines, None without validation predictions.
        selection: how often each category is selected, None without a positive class.
    """

    format_version: int = FORMAT_VERSION
    where: str
    rows: int
    unknown_groups: int
    sources: int
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    probability_columns: tuple[str, ...] | None
    positive: str | None
    confidence: float
    draws: int
    seed: int
    design: Design
    metrics: AuditMetrics
    classes: tuple[ClassAudit, ...]
    groups: tuple[GroupAudit, ...]
    cells: tuple[SubgroupAudit, ...]
    counts: Sequence[Table]
    empty_cells: tuple[tuple[int, int], ...]
    collapsed: bool
    hardly_predicted: tuple[str, ...]
    sizing: Sizing
    limits: tuple[LimitCheck, ...]
    allow_undecided: bool
    notes: tuple[str, ...]
    model: ModelReading | None
    against: ModelChange | None
    posthoc: tuple[Correction, ...] | None
    selection: tuple[CategoryTable, ...] | None

    @property
    def accuracy(self) -> Estimate:
        """Accuracy of the whole test set."""
        return self.metrics.accuracy

    @property
    def balanced_accuracy(self) -> Estimate:
        """Mean accuracy of the subgroups."""
        return self.metrics.balanced_accuracy

    @property
    def deo_a(self) -> Gap:
        """Mean over the classes of the difference between groups."""
        return self.metrics.deo_a

    @property
    def deo_m(self) -> Gap:
        """Largest difference between groups over the classes."""
        return self.metrics.deo_m

    def markdown(self) -> str:
        """Return a short summary as Markdown: the verdict, the limits, the worst subgroups and a few metrics."""
        return self._written_by("summary", "summary")

    @property
    def exit_code(self) -> int:
        """0 if every limit is kept, 1 if one is clearly exceeded, 3 if the data cannot tell and that is not allowed."""
        verdicts: list[Verdict] = ["beyond"] if self.allow_undecided else ["beyond", "undecided"]
        found = {limit.verdict for limit in self.limits}
        return next((EXIT_CODES[verdict] for verdict in verdicts if verdict in found), 0)
