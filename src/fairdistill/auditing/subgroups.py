"""Subgroups with few samples or none: pooled estimates, and the DEO over the classes that are complete."""

from __future__ import annotations

import numpy as np

from fairdistill.auditing.result import SubgroupAudit
from fairdistill.auditing.values import CompleteGap
from fairdistill.metrics import Estimate, Gap, Resampled
from fairdistill.metrics.intervals import Limits
from fairdistill.metrics.mover import difference
from fairdistill.metrics.pooled import pooled_accuracy
from fairdistill.metrics.test_set.combined import attributes_of
from fairdistill.predictions import Predictions


def subgroups_of(predictions: Predictions, sample: Resampled, *, seed: int) -> tuple[SubgroupAudit, ...]:
    """Return each subgroup's samples, its accuracy, and the pooled estimate of it."""
    limits = sample.cell_accuracy()
    pooled = pooled_accuracy(
        limits.middle,
        sample.effective_rows[0],
        attributes=attributes_of(predictions.group_names),
        confidence=sample.confidence,
        seed=seed,
    )
    return tuple(
        SubgroupAudit(
            group=group_name,
            class_name=class_name,
            rows=int(sample.rows[group, label]),
            accuracy=limits.at((group, label)),
            pooled=pooled.at((group, label)),
        )
        for group, group_name in enumerate(predictions.group_names)
        for label, class_name in enumerate(predictions.class_names)
    )


def complete_gaps(
    predictions: Predictions, sample: Resampled, whole: tuple[Gap, Gap]
) -> tuple[CompleteGap, CompleteGap]:
    """Return DEO_A and DEO_M over the classes of which every group has samples, given those over all classes."""
    filled = np.asarray((sample.rows > 0).all(axis=0))
    names = tuple(name for name, every in zip(predictions.class_names, filled.tolist(), strict=True) if every)
    found = whole
    if names and not filled.all():
        found = sample.gaps_among(filled)
    return _named(found[0], names), _named(found[1], names)


def worst_gap(sample: Resampled) -> Estimate:
    """Return the accuracy of all samples minus that of the worst subgroup.

    Its interval supposes that the two are independent; as the worst subgroup is part of all samples, it is rather too
    wide.
    """
    whole, (worst, _) = sample.accuracy(), sample.worst_cell()
    found = difference(*(Limits(*map(np.array, (each.low, each.value, each.high))) for each in (whole, worst)))
    value = float(found.middle)  # below 0 only if samples of unknown group are worse than all others
    return Estimate(value, max(float(found.low), min(value, 0.0)), min(float(found.high), 1.0))


def _named(gap: Gap, classes: tuple[str, ...]) -> CompleteGap:
    """Return a gap with the names of its classes."""
    return CompleteGap(**vars(gap), classes=classes)
