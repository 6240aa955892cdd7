"""The parts of an audit: metrics, classes, groups, subgroups, sizing, limits and notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairdistill.auditing.change import worst_of
from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.outputs import order_note
from fairdistill.auditing.result import (
    AuditMetrics,
    ClassAudit,
    GroupAudit,
    LimitCheck,
    RowsNeeded,
    Sizing,
    SubgroupAudit,
    Verdict,
)
from fairdistill.errors import DataError
from fairdistill.metrics import (
    Counts,
    Estimate,
    Resampled,
    calibration_bins,
    expected_calibration_error,
    gap_resolved,
    overall_calibration_error,
    parity_gaps,
    rows_to_resolve,
)
from fairdistill.predictions import Predictions
from fairdistill.tables.small_groups import few_rows_note

_RESOLVED = (0.02, 0.05, 0.1)
_MEMORY = 2**31
_FEW_SOURCES = 20


def check(predictions: Predictions) -> None:
    """Raise a DataError unless there are at least two classes and two groups, and few enough to count."""
    for names, what in ((predictions.class_names, "class"), (predictions.group_names, "group")):
        if len(names) < 2:
            known = f"a single {what}, {names[0]!r}" if names else f"no {what} at all"
            raise DataError(f"{predictions.where} has {known}; an audit needs at least two of each")
    size = 8 * len(predictions.group_names) * len(predictions.class_names) ** 2
    if size > _MEMORY:
        raise DataError(
            f"{predictions.where} has {len(predictions.group_names):,} groups and {len(predictions.class_names):,} "
            f"classes: the counts of all class pairs in all groups would take {size / 2**30:,.1f} GiB; merge classes "
            "or groups, or check whether a numeric column was mistaken for one of names"
        )


def metrics_of(
    predictions: Predictions, sample: Resampled, options: AuditOptions, calibration_error: float | None
) -> AuditMetrics:
    """Return the metrics of the whole test set."""
    parity, odds = parity_gaps(predictions.predicted, predictions.samples, options.drawing)
    group, subgroup = worst_of(sample, predictions)
    return AuditMetrics(
        accuracy=sample.accuracy(),
        balanced_accuracy=sample.balanced_accuracy(),
        worst_group=group,
        worst_cell=subgroup,
        deo_a=sample.gap("mean"),
        deo_m=sample.gap("max"),
        demographic_parity=parity,
        equalised_odds=odds,
        calibration_error=calibration_error,
    )


def calibration_of(predictions: Predictions) -> tuple[list[float | None], float | None]:
    """Return the expected calibration error of each group and over all groups; None without probabilities."""
    groups = len(predictions.group_names)
    if predictions.probabilities is None:
        return [None] * groups, None
    bins = calibration_bins(predictions.labels, predictions.probabilities, predictions.groups, num_groups=groups)
    return expected_calibration_error(bins).tolist(), overall_calibration_error(bins)


def classes_of(predictions: Predictions, sample: Resampled) -> tuple[ClassAudit, ...]:
    """Return each class's samples, accuracy and gap."""
    gaps = sample.gap_by_class()
    return tuple(
        ClassAudit(
            class_name=name,
            rows=int(sample.all_rows[:, label].sum()),
            accuracy=sample.class_accuracy(label),
            deo=gaps[label],
        )
        for label, name in enumerate(predictions.class_names)
    )


def groups_of(
    predictions: Predictions, sample: Resampled, calibration: Sequence[float | None]
) -> tuple[GroupAudit, ...]:
    """Return each group's samples, accuracy and calibration error."""
    return tuple(
        GroupAudit(
            group=name,
            rows=int(sample.rows[group].sum()),
            accuracy=sample.group_accuracy(group),
            calibration_error=calibration[group],
        )
        for group, name in enumerate(predictions.group_names)
    )


def subgroups_of(predictions: Predictions, sample: Resampled) -> tuple[SubgroupAudit, ...]:
    """Return each subgroup's samples and accuracy."""
    values, limits = sample.cell_accuracy()
    return tuple(
        SubgroupAudit(
            group=group_name,
            class_name=class_name,
            rows=int(sample.rows[group, label]),
            accuracy=Estimate(
                value=float(values[group, label]),
                low=float(limits.low[group, label]),
                high=float(limits.high[group, label]),
            ),
        )
        for group, group_name in enumerate(predictions.group_names)
        for label, class_name in enumerate(predictions.class_names)
    )


def sizing(counts: Counts, accuracy: float, confidence: float) -> Sizing:
    """Return what gap the smallest subgroup can show, and how many independent samples smaller gaps would need."""
    smallest = int(counts.sum(axis=2).min())
    return Sizing(
        power=0.8,
        smallest_cell=smallest,
        gap_resolved=gap_resolved(smallest, accuracy=accuracy, confidence=confidence),
        rows_needed=tuple(
            RowsNeeded(gap=gap, rows=rows_to_resolve(gap, accuracy=accuracy, confidence=confidence))
            for gap in _RESOLVED
        ),
    )


def limits_of(metrics: AuditMetrics, options: AuditOptions, *, collapsed: bool) -> tuple[LimitCheck, ...]:
    """Return whether each requested limit is kept."""
    found = []
    for name, limit, gap in (
        ("deo_a", options.max_deo_a, metrics.deo_a),
        ("deo_m", options.max_deo_m, metrics.deo_m),
    ):
        if limit is None:
            continue
        verdict: Verdict = "within" if gap.high <= limit else "beyond" if gap.low > limit else "undecided"
        if collapsed:  # its gap of 0 says nothing
            verdict = "undecided"
        found.append(LimitCheck(metric="deo_a" if name == "deo_a" else "deo_m", limit=limit, verdict=verdict))
    return tuple(found)


def notes_of(predictions: Predictions) -> tuple[str, ...]:
    """Return what a reader should know about the predictions, one sentence each."""
    notes = [*predictions.notes, *order_note(predictions)]
    known = np.isin(np.arange(len(predictions.class_names)), predictions.labels)
    never = [predictions.class_names[label] for label in np.unique(predictions.predicted).tolist() if not known[label]]
    if never:
        notes.append(
            f"The model predicts {', '.join(map(repr, never[:5]))}, but no sample has that label; if this is only "
            "a different spelling, use the same one for both"
        )
    given = predictions.probabilities
    if given is not None:
        chosen = np.take_along_axis(given, predictions.predicted[:, None], axis=1)
        other = int((chosen < given.max(axis=1, keepdims=True)).sum())
        if other:
            which = f"In {other:,} sample{'' if other == 1 else 's'}"
            notes.append(
                f"{which} the most probable class is not the predicted one; the calibration error uses the "
                "probabilities"
            )
    few = few_rows_note(predictions.counts.sum(axis=2))
    sources = len(np.unique(predictions.sources))
    if sources < min(_FEW_SOURCES, len(predictions)):
        notes.append(
            f"The samples come from only {sources} independent pictures or people; intervals and p-values from so few "
            "are rough"
        )
    return (*notes, *([few] if few else []))
