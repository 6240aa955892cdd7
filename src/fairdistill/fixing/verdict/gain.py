"""What a candidate changes on the test set, beyond what an audit's paired test says."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fairdistill.auditing import ModelChange
from fairdistill.choosing import NEGLIGIBLE, Chooser, Measures, Values, parse_metric
from fairdistill.fixing.verdict.verdict import Gain
from fairdistill.metrics import Change, cell_accuracy
from fairdistill.metrics.paired.drawn_counts import DrawnCounts, paired_changes
from fairdistill.predictions import Predictions, paired

_TESTED = ("accuracy", "balanced_accuracy", "deo_a", "deo_m")  # by the audit's own paired test
_NAN = float("nan")
_TAIL = 0.025  # of the drawn test sets on one side of a 95% interval


def changes_on_test(
    rule: Chooser, before: Predictions, after: Predictions, kept: ModelChange, *, promised: float
) -> tuple[Gain, Change]:
    """Return what a candidate gains by a rule, and how the accuracy of the worst subgroup changes.

    Where a rule that is a function does not allow the candidate in more drawn test sets than an interval leaves out,
    the interval of the gain reaches down to 0, so that it is not confirmed.

    Args:
        rule: the rule.
        before: the deployed model on the test set.
        after: the candidate there.
        kept: the audit's paired test of the two.
        promised: the gain on the validation set.
    """
    before, after = paired(before, after)

    def measures(drawn: DrawnCounts) -> Measures:
        return Measures(
            drawn.counts, accuracy=drawn.accuracy, class_names=before.class_names, group_names=before.group_names
        )

    allowed: list[bool] = []

    def value(model: DrawnCounts, first: DrawnCounts) -> float:
        found = rule_value(rule, measures(model), measures(first))
        if model is not first:
            allowed.append(not math.isnan(found))
        return found

    found = paired_changes(
        before.predicted, after.predicted, before.samples,
        {
            "worst_subgroup": lambda model, _: float(np.nanmin(cell_accuracy(model.counts))),
            **({} if rule.metric in _TESTED else {"gain": value}),
        },
    )  # fmt: skip
    if rule.metric in _TESTED:
        gained = _signed(getattr(kept, rule.metric), rule.metric)
    else:
        gained = found["gain"] if rule.metric is not None else _if_allowed(found["gain"], allowed)
    negligible = 0.0 if rule.metric is None else NEGLIGIBLE
    return Gain(promised=promised, found=gained, negligible=negligible), found["worst_subgroup"]


def _if_allowed(change: Change, allowed: Sequence[bool]) -> Change:
    """Return a gain whose interval reaches down to 0 if too many test sets, drawn ones included, do not allow it."""
    refused = 1 - sum(allowed) / len(allowed)
    if refused <= _TAIL:
        return change
    return Change(change.value, min(change.low, 0.0), change.high, max(change.p_value, min(1.0, 2 * refused)))


def rule_value(rule: Chooser, model: Values, deployed: Values) -> float:
    """Return the value that a rule chooses by, with the sign that makes a higher one better; NaN where undefined."""
    value = -rule.standing(model, deployed)[1]
    return value if math.isfinite(value) else _NAN


def _signed(change: Change, metric: str) -> Change:
    """Return the change with the sign that makes a gain positive."""
    known = parse_metric(metric)
    if known is not None and known.higher:
        return Change(change.value, change.low, change.high, change.p_value)
    return Change(-change.value, -change.high, -change.low, change.p_value)
