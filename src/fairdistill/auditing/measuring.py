"""The parts of an audit: metrics, classes, groups and notes."""

from __future__ import annotations

import math

import numpy as np

from fairdistill.auditing.change import worst_of
from fairdistill.auditing.guessing import guessing_note
from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.outputs import order_note, quantity_note
from fairdistill.auditing.result import (
    AuditMetrics,
    ClassAudit,
    GroupAudit,
)
from fairdistill.auditing.scored import Scored
from fairdistill.auditing.subgroups import complete_gaps, worst_gap
from fairdistill.errors import DataError
from fairdistill.metrics import Resampled, parity_gaps
from fairdistill.metrics.gap.contrast import FEWEST
from fairdistill.predictions import Predictions
from fairdistill.tables.small_groups import few_rows_note
from fairdistill.text.lists import listed
from fairdistill.text.numbers import counted

_MEMORY = 2**31
_FEW_SOURCES = 20
_NAMED = 5


def check(predictions: Predictions) -> None:
    """Raise a DataError unless there are at least two classes and two groups, and few enough to count."""
    for names, what, several in (
        (predictions.class_names, "class", "classes"), (predictions.group_names, "group", "groups"),
    ):  # fmt: skip
        if len(names) < 2:
            known = f"a single {what}, {names[0]!r}" if names else f"no {what} at all"
            raise DataError(f"{predictions.where} has {known}; an audit needs at least two {several}")
    size = 8 * len(predictions.group_names) * len(predictions.class_names) ** 2
    if size > _MEMORY:
        raise DataError(
            f"{predictions.where} has {len(predictions.group_names):,} groups and {len(predictions.class_names):,} "
            f"classes: the counts of all class pairs in all groups would take {size / 2**30:,.1f} GiB; merge classes "
            "or groups, or check whether a numeric column was mistaken for one of names"
        )


def metrics_of(predictions: Predictions, sample: Resampled, options: AuditOptions, scored: Scored) -> AuditMetrics:
    """Return the metrics of the whole test set."""
    parity, odds = parity_gaps(predictions.predicted, predictions.samples, options.drawing)
    group, subgroup = worst_of(sample, predictions)
    gaps = sample.gap("mean"), sample.gap("max")
    complete = complete_gaps(predictions, sample, gaps)
    return AuditMetrics(
        accuracy=sample.accuracy(),
        balanced_accuracy=sample.balanced_accuracy(),
        class_balanced_accuracy=sample.class_balanced_accuracy(),
        worst_group=group,
        worst_cell=subgroup,
        worst_gap=worst_gap(sample),
        deo_a=gaps[0],
        deo_m=gaps[1],
        deo_a_complete=complete[0],
        deo_m_complete=complete[1],
        demographic_parity=parity,
        equalised_odds=odds,
        calibration_error=scored.error(-1),
        calibration=scored.calibration[-1],
        auc=scored.auc[-1],
        brier=scored.brier[-1],
        impact_ratio=scored.impact[-1],
    )


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


def groups_of(predictions: Predictions, sample: Resampled, scored: Scored) -> tuple[GroupAudit, ...]:
    """Return each group's samples, accuracy and what its probabilities and its selection are worth."""
    return tuple(
        GroupAudit(
            group=name,
            rows=int(sample.rows[group].sum()),
            accuracy=sample.group_accuracy(group),
            calibration_error=scored.error(group),
            calibration=scored.calibration[group],
            auc=scored.auc[group],
            brier=scored.brier[group],
            impact_ratio=scored.impact[group],
        )
        for group, name in enumerate(predictions.group_names)
    )


def left_out(predictions: Predictions, sample: Resampled) -> tuple[str, ...]:
    """Return a note on subgroups of too few rows for the lower ends of gaps; none if there is no such subgroup."""
    few = np.argwhere((sample.sources < FEWEST) & (sample.rows > 0))
    if not len(few):
        return ()
    names = [f"{predictions.class_names[label]} of {predictions.group_names[group]}" for group, label in few]
    shown = listed(names, _NAMED, separator="; ")
    return (f"Subgroups with fewer than {FEWEST} independent samples are left out of the lower ends of DEO: {shown}",)


def too_few_exchanges(sample: Resampled) -> tuple[str, ...]:
    """Return a note if no p-value can be small enough for the confidence; none if it can."""
    exchanges = len(sample.gaps.null.heterogeneity)
    most = exchanges / (1 + exchanges)
    if sample.confidence <= most + 1e-12:
        return ()
    return (
        f"With so many samples, the groups were exchanged at random only {exchanges:,} times, too few to find any gap "
        f"with {100 * sample.confidence:g}% confidence; use --confidence {math.floor(1000 * most) / 1000:g} or less",
    )


def notes_of(predictions: Predictions, attribute: str | None = None) -> tuple[str, ...]:
    """Return what a reader should know about the predictions, one sentence each; see :func:`order_note`."""
    notes = [*predictions.notes, *(order_note(predictions, attribute=attribute) or guessing_note(predictions))]
    notes += quantity_note(predictions)
    known, predicted = (
        np.bincount(each, minlength=len(predictions.class_names)) > 0
        for each in (predictions.labels, predictions.predicted)
    )
    never = [predictions.class_names[label] for label in np.flatnonzero(predicted & ~known).tolist()]
    if never:
        notes.append(
            f"The model predicts {listed([*map(repr, never)], _NAMED)}, but no sample has that label; if this is only "
            "a different spelling, use the same one for both"
        )
    given = predictions.probabilities
    if given is not None:
        chosen = np.take_along_axis(given, predictions.predicted[:, None], axis=1)
        other = int((chosen < given.max(axis=1, keepdims=True)).sum())
        if other:
            notes.append(
                f"In {counted(other, 'sample')} the most probable class is not the predicted one; the calibration "
                "error uses the probabilities"
            )
    few = few_rows_note(predictions.sparse_counts.rows)
    sources = predictions.num_sources
    if sources < min(_FEW_SOURCES, len(predictions)):
        notes.append(
            f"The samples come from only {sources} independent pictures or people; intervals and p-values from so few "
            "are rough"
        )
    return (*notes, *([few] if few and few not in notes else []))  # those of the data may have said so
