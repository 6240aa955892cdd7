"""The change from one model to another, with the names of the subgroups."""

from __future__ import annotations

from fairdistill.auditing.options import IntervalOptions
from fairdistill.auditing.result import ModelChange, SubgroupChange
from fairdistill.auditing.values import WorstGroup, WorstSubgroup
from fairdistill.metrics import Paired, Resampled, paired_test
from fairdistill.predictions import Predictions, paired


def change_between(
    before: Predictions, after: Predictions, options: IntervalOptions | None = None, *, where: str | None = None
) -> ModelChange:
    """Return the change from another model to this one, tested on the same samples.

    Raises:
        DataError: if the two do not cover the same samples.
    """
    before, after = paired(before, after)
    drawing = (options or IntervalOptions()).of(after).drawing
    return model_change(paired_test(before.correct, after.correct, after.samples, drawing), after, where=where)


def model_change(found: Paired, predictions: Predictions, *, where: str | None = None) -> ModelChange:
    """Return a paired test with the names of its subgroups; ``where`` names the model it is compared with."""
    return ModelChange(
        where=where,
        accuracy=found.accuracy,
        balanced_accuracy=found.balanced_accuracy,
        deo_a=found.deo_a,
        deo_m=found.deo_m,
        cells=tuple(
            SubgroupChange(
                group=predictions.group_names[cell.group],
                class_name=predictions.class_names[cell.label],
                value=cell.value,
                low=cell.low,
                high=cell.high,
                p_value=cell.p_value,
                rows=cell.rows,
                adjusted_p_value=cell.adjusted_p_value,
                harmed=cell.harmed,
                helped=cell.helped,
            )
            for cell in found.cells
        ),
        worst_groups=found.worst_groups.value,
        worst_groups_low=found.worst_groups.low,
        worst_groups_high=found.worst_groups.high,
        best_groups=found.best_groups.value,
        best_groups_low=found.best_groups.low,
        best_groups_high=found.best_groups.high,
        levels_down=found.levels_down,
        share_levelled_down=found.share_levelled_down.value,
        share_levelled_down_low=found.share_levelled_down.low,
        share_levelled_down_high=found.share_levelled_down.high,
    )


def worst_of(sample: Resampled, predictions: Predictions) -> tuple[WorstGroup, WorstSubgroup]:
    """Return the accuracy of the worst group and of the worst subgroup, and which they are."""
    of_group, group = sample.worst_group()
    of_cell, cell = sample.worst_cell()
    return (
        WorstGroup(**vars(of_group), group=None if group is None else predictions.group_names[group]),
        WorstSubgroup(
            **vars(of_cell),
            group=None if cell is None else predictions.group_names[cell[0]],
            class_name=None if cell is None else predictions.class_names[cell[1]],
        ),
    )
