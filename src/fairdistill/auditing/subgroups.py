"""Subgroups with few samples or none: pooled estimates, and the DEO over the classes that are complete."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from fairdistill.auditing.options import IntervalOptions
from fairdistill.auditing.result import CompleteGap, SubgroupAudit
from fairdistill.metrics import Estimate, Gap, Resampled
from fairdistill.metrics.pooled import attributes_of, pooled_accuracy
from fairdistill.predictions import Predictions


def subgroups_of(predictions: Predictions, sample: Resampled) -> tuple[SubgroupAudit, ...]:
    """Return each subgroup's samples, its accuracy, and the pooled estimate of it."""
    values, limits = sample.cell_accuracy()
    pooled = pooled_accuracy(
        values,
        sample.effective_rows[0],
        attributes=attributes_of(predictions.group_names),
        confidence=sample.confidence,
    )
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
            pooled=Estimate(
                value=float(pooled.middle[group, label]),
                low=float(pooled.low[group, label]),
                high=float(pooled.high[group, label]),
            ),
        )
        for group, group_name in enumerate(predictions.group_names)
        for label, class_name in enumerate(predictions.class_names)
    )


def complete_classes(
    predictions: Predictions, sample: Resampled, options: IntervalOptions
) -> tuple[Resampled, tuple[str, ...]]:
    """Return the samples of the classes of which every group has some, and the names of these classes."""
    names, filled = predictions.class_names, np.asarray((sample.rows > 0).all(axis=0))
    if filled.all() or not filled.any():
        return sample, names if filled.all() else ()
    kept = filled[predictions.labels]
    place = np.cumsum(filled) - 1
    samples = replace(
        predictions.samples,
        labels=place[predictions.labels[kept]],
        groups=predictions.groups[kept],
        sources=predictions.sources[kept],
        num_classes=int(filled.sum()),
    )
    of_complete = Resampled(predictions.correct[None, kept], samples, options.drawing)
    return of_complete, tuple(name for name, every in zip(names, filled.tolist(), strict=True) if every)


def named(gap: Gap, classes: tuple[str, ...]) -> CompleteGap:
    """Return a gap with the names of its classes."""
    return CompleteGap(**{field.name: getattr(gap, field.name) for field in fields(gap)}, classes=classes)
