"""Whether a validation set is large enough for the slack of a rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.choosing.metrics import KINDS, Metric, parse_metric
from fairdistill.choosing.parsing import Chooser
from fairdistill.choosing.rule import Rule, title
from fairdistill.metrics.paired.paired_error import paired_error
from fairdistill.predictions import Predictions


def error_of_difference(metric: str, deployed: Predictions, model: Predictions) -> float | None:
    """Return the standard error of the difference between two models in a metric, by source; a fraction.

    Args:
        metric: an accuracy: of all samples, balanced over subgroups or classes, or of a class, a group or a subgroup.
        deployed: the predictions of the first model.
        model: those of the second, of the same samples in the same order.

    Returns:
        The standard error; None for other metrics, and NaN if no sample counts.
    """
    found = parse_metric(metric)
    parts = None if found is None else _parts(found, deployed)
    if parts is None:
        return None
    return paired_error(deployed.correct, model.correct, sources=deployed.sources, parts=parts)


def too_small_for(rule: Chooser, deployed: Predictions, model: Predictions) -> str | None:
    """Return that a validation set is too small for the slack of a rule, a sentence without its full stop, or None.

    The slack is what a condition adds to the deployed model's value, for example 0.005 in ``balanced_accuracy >=
    deployed - 0.005``. Chance decides whether a model keeps such a condition if the standard error of the difference
    exceeds it. Conditions on differences such as DEO_A, and rules that are functions, are not checked.

    Args:
        rule: the rule.
        deployed: the deployed model's predictions on the validation set.
        model: those of a candidate, for example the chosen one, of the same samples in the same order.
    """
    for condition in rule.conditions if isinstance(rule, Rule) else ():
        error = None if condition.of is None else error_of_difference(condition.metric, deployed, model)
        if error is not None and error > abs(condition.number):
            name = title(condition.metric)
            return (
                "The validation set is too small for the slack of the rule: the standard error of the difference in "
                f"{name[0].lower()}{name[1:]} is {100 * error:.1f} points, the slack {100 * abs(condition.number):g}"
            )
    return None


def _parts(metric: Metric, samples: Predictions) -> NDArray[np.int64] | None:
    """Return the part of each sample whose accuracies a metric averages, -1 for none; None for other metrics."""
    labels, groups, (label, group) = samples.labels, samples.groups, _indices(metric, samples)
    known = groups >= 0
    if metric.kind in ("accuracy[GROUP]", "recall[CLASS]", "recall[CLASS][GROUP]"):
        own = known & ((labels == label) | (label is None)) & ((groups == group) | (group is None))
        return np.where(own, 0, -1)
    parts = {
        "accuracy": np.zeros_like(labels),
        "balanced_accuracy": np.where(known, groups * len(samples.class_names) + labels, -1),
        "class_balanced_accuracy": np.where(known, labels, -1),
    }
    return parts.get(metric.kind)


def _indices(metric: Metric, samples: Predictions) -> tuple[int | None, int | None]:
    """Return the class and the group that a metric is of; None where it is of all."""
    of = dict(zip(KINDS[metric.kind].per, metric.of, strict=True))
    return (
        samples.class_names.index(of["class"]) if "class" in of else None,
        samples.group_names.index(of["group"]) if "group" in of else None,
    )
