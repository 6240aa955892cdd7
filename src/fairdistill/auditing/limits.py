"""Whether each requested limit is kept.

Every answer is given by a one-sided end, so each is wrong in at most one case of twenty at a confidence of 95%.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.result import AuditMetrics, LimitCheck, LimitedMetric, Verdict
from fairdistill.auditing.subgroups import worst_gap
from fairdistill.errors import UsageError
from fairdistill.metrics import Resampled
from fairdistill.metrics.paired.falls import falls
from fairdistill.predictions import Predictions, paired

_Cell = tuple[str | None, str | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Audited:
    """What limits are checked on.

    Attributes:
        predictions: of the test set.
        against: another model's; None without one.
        sample: the test set, resampled.
        metrics: of the whole test set.
        hardly: how many classes the model hardly ever predicts, whose gap therefore says nothing.
        collapsed: whether the model predicts a single class.
    """

    predictions: Predictions
    against: Predictions | None
    sample: Resampled
    metrics: AuditMetrics
    hardly: int
    collapsed: bool


@dataclass(frozen=True)
class _Ends:
    value: float
    at_least: float
    at_most: float


def limits_of(audited: Audited, options: AuditOptions) -> tuple[LimitCheck, ...]:
    """Return whether each requested limit is kept.

    Raises:
        UsageError: for a limit on harm without another model to compare with.
    """
    return tuple(_checks(audited, options))


def _checks(audited: Audited, options: AuditOptions) -> Iterator[LimitCheck]:
    if options.max_deo_a is not None:
        yield _deo("deo_a", options.max_deo_a, audited)
    if options.max_deo_m is not None:
        yield _deo("deo_m", options.max_deo_m, audited)
    if options.min_accuracy is not None:
        found = audited.sample.one_sided().accuracy()
        yield _check("accuracy", options.min_accuracy, _Ends(found.value, found.low, found.high))
    if options.max_worst_gap is not None:
        yield _worst_gap(options.max_worst_gap, audited)
    if options.max_harm is not None:
        yield _harm(options.max_harm, audited)


def _check(metric: LimitedMetric, limit: float, ends: _Ends, cell: _Cell = (None, None)) -> LimitCheck:
    smallest = metric == "accuracy"
    within = ends.at_least >= limit if smallest else ends.at_most <= limit
    beyond = ends.at_most < limit if smallest else ends.at_least > limit
    verdict: Verdict = "within" if within else "beyond" if beyond else "undecided"
    return LimitCheck(
        metric=metric,
        kind="min" if smallest else "max",
        limit=limit,
        verdict=verdict,
        value=ends.value,
        at_least=ends.at_least,
        at_most=ends.at_most,
        group=cell[0],
        class_name=cell[1],
    )


def _deo(metric: LimitedMetric, limit: float, audited: Audited) -> LimitCheck:
    """Return the check of a DEO; the gap of a class that is hardly ever predicted counts as unknown.

    Where a subgroup is empty, the other classes alone may already exceed the limit, whatever the gaps of the rest are.
    """
    classes, metrics = len(audited.predictions.class_names), audited.metrics
    gap = metrics.deo_a if metric == "deo_a" else metrics.deo_m
    at_least = gap.at_least
    if math.isnan(gap.value):
        known = metrics.deo_a_complete if metric == "deo_a" else metrics.deo_m_complete
        at_least = known.at_least * (len(known.classes) / classes if metric == "deo_a" else 1.0)
    missing = audited.hardly / classes if metric == "deo_a" else float(audited.hardly > 0)
    at_most = min(1.0, gap.at_most + missing) if not math.isnan(gap.at_most) else gap.at_most
    found = _check(metric, limit, _Ends(gap.value, at_least, at_most))
    return replace(found, verdict="undecided") if audited.collapsed else found  # its gap of 0 says nothing


def _worst_gap(limit: float, audited: Audited) -> LimitCheck:
    """Return the check of the worst gap; a subgroup without samples may have any accuracy."""
    one_sided = audited.sample.one_sided()
    found, worst = worst_gap(one_sided), audited.metrics.worst_cell
    most = found.high if (audited.sample.rows > 0).all() else max(found.high, one_sided.accuracy().high)
    return _check("worst_gap", limit, _Ends(found.value, found.low, most), (worst.group, worst.class_name))


def _harm(limit: float, audited: Audited) -> LimitCheck:
    """Return the check of the largest fall of a subgroup's accuracy; one without samples may have fallen by anything.

    The subgroup that decides is the one with the largest lower end if the limit is exceeded, else the one with the
    largest upper end.
    """
    if audited.against is None:
        raise UsageError("--max-harm needs another model to compare with; name its predictions with --against")
    before, after = paired(audited.against, audited.predictions)
    found = falls(before.correct, after.correct, after.samples, confidence=audited.sample.confidence)
    empty = np.flatnonzero(audited.sample.rows == 0)
    least, most = float(found.at_least.max(initial=-1.0)), float(found.at_most.max(initial=-1.0))
    if len(empty) and least <= limit:
        value, cell = math.nan, int(empty[0])
    else:
        at = int((found.at_least if least > limit else found.at_most).argmax())
        value, cell = float(found.value[at]), int(found.cell[at])
    most = 1.0 if len(empty) else most
    group, label = divmod(cell, len(after.class_names))
    return _check("harm", limit, _Ends(value, least, most), (after.group_names[group], after.class_names[label]))
