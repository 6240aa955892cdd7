"""Which evaluation's weights a run keeps: that of the lowest loss, the last, or the best by a rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from fairdistill.choosing import Measures, Rule, parse_rule
from fairdistill.errors import DataError, UsageError

if TYPE_CHECKING:
    from fairdistill.data import GroupedDataset
    from fairdistill.metrics import Counts
    from fairdistill.predictions.trained.attribute_evaluation import AttributesEvaluation
    from fairdistill.predictions.trained.evaluation import Evaluation

_EXAMPLE = "deo_a subject to balanced_accuracy >= 0.65"


def rule_of(keep: str) -> Rule | None:
    """Return the rule that the option ``--keep`` states; None for ``loss`` and ``last``.

    Raises:
        UsageError: if it cannot be read, or compares with another model: there is none during training.

    Example:
        >>> rule_of("loss"), str(rule_of("DEO_M subject to accuracy >= 0.9"))
        (None, 'deo_m subject to accuracy >= 0.9')
    """
    if keep in ("loss", "last"):
        return None
    try:
        rule = parse_rule(keep)
    except UsageError as error:
        problem = str(error).partition(". For example: ")[0]
        raise UsageError(f'--keep must be loss, last or a rule, for example "{_EXAMPLE}"; {problem}') from error
    if rule.relative:
        raise UsageError(
            f"--keep {keep!r} compares with another model, but weights are chosen during training, where there is no "
            f'other; write a number, for example "{_EXAMPLE}"'
        )
    return rule


def check_keep(keep: str, validation: GroupedDataset) -> None:
    """Check that every metric that ``--keep`` names can be measured on the validation set.

    Raises:
        UsageError: if a metric names a class or group that does not exist, or needs more than predicted classes.
        DataError: if a metric is undefined because a subgroup has no images.
    """
    rule = rule_of(keep)
    if rule is None:
        return
    if validation.attributes is not None:
        raise UsageError(
            f"--keep {keep!r} is a rule for one label, but {', '.join(validation.attributes.names)} are trained "
            "together; use --keep loss or --keep last"
        )
    rule.check(validation.class_names, validation.group_names)
    cells = validation.cell_counts().T.numpy()
    all_right = cells[:, :, None] * np.eye(validation.num_classes, dtype=np.int64)
    measures = _measures(all_right, 1.0, validation)
    undefined = [name for name in rule.metrics if math.isnan(measures[name])]
    if "calibration_error" in undefined:
        raise UsageError(f"--keep {keep!r} cannot use calibration_error; choose another metric")
    if undefined:
        raise DataError(
            f"--keep {keep!r} needs {' and '.join(undefined)}, but {validation.name} has no image of "
            f"{', '.join(validation.empty_cells())}; add validation images, or choose another metric or --keep loss"
        )


def standing(
    keep: str, found: Evaluation | AttributesEvaluation, validation: GroupedDataset, *, loss: float
) -> tuple[float, ...]:
    """Return how an evaluation stands among those of a run: the lowest is kept, the earliest of equal ones.

    By a rule, evaluations at which the student predicts a single class come last; otherwise the rule's own order holds
    (:func:`~fairdistill.choosing.better`): an evaluation with an undefined metric comes after all others.

    Args:
        keep: the option, other than ``last``.
        found: the evaluation.
        validation: what it was made on.
        loss: its loss.
    """
    rule = rule_of(keep)
    if rule is None:
        return (loss,)
    one = cast("Evaluation", found)  # check_keep refuses rules for several attributes
    measures = _measures(one.counts, one.accuracy, validation)
    return (float(one.collapsed), *rule.standing(measures, None), loss)


def _measures(counts: Counts, accuracy: float, data: GroupedDataset) -> Measures:
    return Measures(counts, accuracy=accuracy, class_names=data.class_names, group_names=data.group_names)
