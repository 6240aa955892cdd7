"""A network on a data set: logits, probabilities, accuracy and fairness."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.metrics import Counts, balanced_accuracy, deo_a, deo_m, group_counts
from fairdistill.models import class_logits
from fairdistill.system.processes import ALONE, World

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Performance:
    """How well a network does on a data set, in numbers.

    Attributes:
        logits: float32 ``[N, C]`` on the device.
        loss: mean cross-entropy over the samples.
        cell_loss: mean over the subgroups of each one's mean cross-entropy; samples of unknown group count only if
            no group is known at all.
        accuracy: fraction of correct samples, including those of unknown group.
        balanced_accuracy: mean accuracy of the subgroups; NaN if one is empty.
        deo_a: mean over the classes, a fraction; NaN if a subgroup is empty.
        deo_m: largest over the classes, in the same way.
        collapsed: whether a single class is predicted for every sample, though there are several.
    """

    logits: Tensor
    loss: float
    cell_loss: float
    accuracy: float
    balanced_accuracy: float
    deo_a: float
    deo_m: float
    collapsed: bool


@dataclass(frozen=True, kw_only=True)
class Evaluation(Performance):
    """How a network performs on a data set.

    Attributes:
        probabilities: float32 ``[N, C]``, the softmax of the logits; its largest is the prediction.
        counts: int64 ``[G, C, C]``.
    """

    probabilities: Tensor
    counts: Counts


def logits_of(
    network: Callable[[Tensor], object],
    pipeline: Pipeline,
    autocast: Callable[[], AbstractContextManager[None]],
    *,
    world: World = ALONE,
    report: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Return float32 logits ``[N, C]`` of every sample, without augmentation; the network must be in eval mode.

    Several processes share the samples, and each gets all logits. ``report`` is called with the number of samples done
    since its last call.
    """
    if pipeline.num_rows < world.size:
        world = ALONE
    parts = []
    with torch.no_grad():
        for rows in torch.arange(pipeline.num_rows)[world.own].split(_BATCH):
            with autocast():
                parts.append(class_logits(network(pipeline.batch(rows).images)).float())
            report(len(rows))
    return world.gather(torch.cat(parts), rows=pipeline.num_rows)


def evaluate(logits: Tensor, dataset: GroupedDataset) -> Evaluation:
    """Evaluate the logits of a data set's samples."""
    labels, groups = dataset.labels.to(logits.device), dataset.groups.to(logits.device)
    losses = F.cross_entropy(logits, labels, reduction="none")
    probabilities = F.softmax(logits, dim=1)
    predicted = probabilities.argmax(1)
    counts = group_counts(
        dataset.labels,
        predicted,
        dataset.groups,
        num_classes=dataset.num_classes,
        num_groups=dataset.num_groups,
    )
    return Evaluation(
        logits=logits,
        probabilities=probabilities,
        loss=float(losses.mean()),
        cell_loss=_mean_over_cells(losses, labels, groups, dataset.num_groups),
        accuracy=float((predicted == labels).double().mean()),
        balanced_accuracy=balanced_accuracy(counts),
        counts=counts,
        deo_a=deo_a(counts),
        deo_m=deo_m(counts),
        collapsed=dataset.num_classes > 1 and len(predicted.unique()) == 1,
    )


def _mean_over_cells(losses: Tensor, labels: Tensor, groups: Tensor, num_groups: int) -> float:
    known = groups >= 0
    if not bool(known.any()):
        return float(losses.mean())
    cell = labels[known] * num_groups + groups[known]
    rows = torch.bincount(cell)
    total = torch.zeros(len(rows), dtype=losses.dtype, device=losses.device).index_add_(0, cell, losses[known])
    return float((total[rows > 0] / rows[rows > 0]).mean())
