"""The result of an audit, as typed values; ``audit.json`` is :meth:`AuditResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fairdistill.contract import Result, key
from fairdistill.metrics import Change, Estimate, Gap
from fairdistill.predictions.model_reading import ModelReading

FORMAT_VERSION = 1

Verdict = Literal["within", "beyond", "undecided"]
EXIT_CODES: Mapping[Verdict, int] = {"within": 0, "beyond": 1, "undecided": 3}


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
class AuditMetrics(Result):
    """The metrics of the whole test set, with intervals; fractions.

    Attributes:
        accuracy: over all samples.
        balanced_accuracy: mean over the classes.
        worst_group: of the groups.
        worst_cell: of the subgroups, one class of one group each.
        deo_a: mean over the classes of the difference between groups.
        deo_m: largest over the classes.
        demographic_parity: largest difference between groups in how often a class is predicted.
        equalised_odds: largest difference between groups in true- and false-positive rates.
        calibration_error: expected calibration error; None without probabilities.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate
    worst_group: WorstGroup
    worst_cell: WorstSubgroup
    deo_a: Gap
    deo_m: Gap
    demographic_parity: Gap
    equalised_odds: Gap
    calibration_error: float | None


@dataclass(frozen=True, kw_only=True)
class ClassAudit(Result):
    """One class: its samples, accuracy and the difference between groups."""

    class_name: str = key("class")
    rows: int
    accuracy: Estimate
    deo: Gap


@dataclass(frozen=True, kw_only=True)
class GroupAudit(Result):
    """One group: its samples, accuracy and calibration error (None without probabilities)."""

    group: str
    rows: int
    accuracy: Estimate
    calibration_error: float | None


@dataclass(frozen=True, kw_only=True)
class SubgroupAudit(Result):
    """One class of one group: its samples and accuracy."""

    group: str
    class_name: str = key("class")
    rows: int
    accuracy: Estimate


@dataclass(frozen=True, kw_only=True)
class RowsNeeded(Result):
    """How many samples per subgroup are needed to detect a gap."""

    gap: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Sizing(Result):
    """What gap the smallest subgroup can show, and how many samples smaller gaps would need."""

    power: float
    smallest_cell: int
    gap_resolved: float
    rows_needed: tuple[RowsNeeded, ...]


@dataclass(frozen=True, kw_only=True)
class LimitCheck(Result):
    """A limit and whether it is kept: within, beyond, or undecided where the data cannot tell."""

    metric: Literal["deo_a", "deo_m"]
    limit: float
    verdict: Verdict


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
class ModelChange(Result):
    """The change from one model to another on the same samples; see :class:`fairdistill.metrics.paired.Paired`."""

    where: str | None = key(optional=True)
    accuracy: Change
    deo_a: Change
    deo_m: Change
    cells: tuple[SubgroupChange, ...]
    worst_groups: float
    best_groups: float
    levels_down: bool
    share_levelled_down: float


@dataclass(frozen=True, kw_only=True)
class CorrectionChange(Result):
    """The change from the model as it is to the corrected one."""

    accuracy: Change
    deo_a: Change
    deo_m: Change
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
class AuditResult(Result):
    """The result of an audit.

    Attributes:
        format_version: of the JSON.
        where: the source that was audited.
        rows: samples.
        unknown_groups: samples without a group label.
        sources: independent pictures or people among them.
        class_names, group_names: in the order of ``counts``.
        probability_columns: the table's column for each class, or a single one for two classes; None without any.
        confidence, draws, seed: of the intervals.
        metrics: of the whole test set.
        classes, groups, cells: one entry each; a cell is a subgroup, one class of one group.
        counts: ``[G][C][C]``: group, true class, predicted class.
        empty_cells: (group, class) indices of subgroups without a sample.
        collapsed: whether a single class is predicted for every sample.
        sizing: what gap this test set can show.
        limits: the requested limits.
        notes: what a reader should know about the predictions.
        model: how the model was read, None if it was not run for the audit.
        against: the change against another model, None without one.
        posthoc: the post-hoc baselines, None without validation predictions.
    """

    format_version: int = FORMAT_VERSION
    where: str
    rows: int
    unknown_groups: int
    sources: int
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    probability_columns: tuple[str, ...] | None
    confidence: float
    draws: int
    seed: int
    metrics: AuditMetrics
    classes: tuple[ClassAudit, ...]
    groups: tuple[GroupAudit, ...]
    cells: tuple[SubgroupAudit, ...]
    counts: tuple[tuple[tuple[int, ...], ...], ...]
    empty_cells: tuple[tuple[int, int], ...]
    collapsed: bool
    sizing: Sizing
    limits: tuple[LimitCheck, ...]
    notes: tuple[str, ...]
    model: ModelReading | None
    against: ModelChange | None
    posthoc: tuple[Correction, ...] | None

    @property
    def accuracy(self) -> Estimate:
        """Accuracy of the whole test set."""
        return self.metrics.accuracy

    @property
    def deo_a(self) -> Gap:
        """Mean over the classes of the difference between groups."""
        return self.metrics.deo_a

    @property
    def deo_m(self) -> Gap:
        """Largest difference between groups over the classes."""
        return self.metrics.deo_m

    @property
    def exit_code(self) -> int:
        """0 if every limit is kept, 1 if one is clearly exceeded, 3 if the data cannot tell."""
        verdicts = {limit.verdict for limit in self.limits}
        return next((EXIT_CODES[verdict] for verdict in ("beyond", "undecided") if verdict in verdicts), 0)
