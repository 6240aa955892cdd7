"""AUC, Brier score and impact ratio as text for a terminal."""

from __future__ import annotations

import math

from fairdistill.auditing.result import AuditMetrics, AuditResult
from fairdistill.auditing.values import place_of
from fairdistill.text.numbers import interval, percent
from fairdistill.text.tables import aligned


def score_rows(metrics: AuditMetrics) -> list[tuple[str, str, str, str, str]]:
    """Return the rows of the table of metrics."""
    rows = []
    if metrics.calibration_error is not None:
        rows += [
            ("AUC", percent(metrics.auc.value), interval(metrics.auc), "", ""),
            ("Brier score", percent(metrics.brier.value), interval(metrics.brier), "", ""),
        ]
    ratio = metrics.impact_ratio
    return [*rows, ("Smallest impact ratio", percent(ratio.value), interval(ratio), "", place_of(ratio))]


def group_scores(result: AuditResult) -> list[str]:
    """Return a table of the groups' AUC and Brier score, if there are probabilities, and of their impact ratio."""
    scored = result.metrics.calibration_error is not None
    rows = [["Group", *(["AUC", "", "Brier score", ""] if scored else []), "impact ratio", "", "of class"]]
    for group in result.groups:
        scores = [part for one in (group.auc, group.brier) for part in (percent(one.value), interval(one))]
        ratio = group.impact_ratio
        named = [percent(ratio.value), _ends(ratio.low, ratio.high), (ratio.class_name or "")]
        rows.append([group.group, *(scores if scored else []), *named])
    return aligned(rows, left=(0, len(rows[0]) - 1))


def _ends(low: float, high: float) -> str:
    """Return the interval of a ratio; empty for the group that all others are compared with."""
    if math.isnan(low) or low == high:
        return ""
    return f"[{percent(low)}, {percent(high) if math.isfinite(high) else 'inf'}]"
