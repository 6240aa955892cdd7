"""A network over a data set: logits, probabilities and what they say about accuracy and fairness."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.metrics import Counts, deo_a, deo_m, group_counts
from fairdistill.models import class_logits
from fairdistill.system.processes import ALONE, World

_BATCH = 500


@dataclass(frozen=True)
class Evaluation:
    """What a network does on a data set.

    Attributes:
        logits: float32 ``[N, C]`` on the device.
        probabilities: float32 ``[N, C]``, their softmax; its largest is the prediction.
        loss: mean cross-entropy over the rows.
        cell_loss: mean over the (class, group) cells of each cell's mean cross-entropy; rows of unknown group
            count only where no group is known.
        accuracy: share of correct rows, of unknown group too.
        counts: int64 ``[G, C, C]``.
        deo_a: mean over classes, a fraction; NaN if a cell is empty.
        deo_m: largest over classes, likewise.
        collapsed: whether every row is predicted as one class, though there are several.
    """

    logits: Tensor
    probabilities: Tensor
    loss: float
    cell_loss: float
    accuracy: float
    counts: Counts
    deo_a: float
    deo_m: float
    collapsed: bool


def logits_of(
    network: Callable[[Tensor], object],
    pipeline: Pipeline,
    autocast: Callable[[], AbstractContextManager[None]],
    *,
    world: World = ALONE,
) -> Tensor:
    """Return float32 logits ``[N, C]`` of every row, without augmentation; the network must be in eval mode.

    Several processes each take a part of the rows, and all of them get all logits.
    """
    if pipeline.num_rows < world.size:
        world = ALONE
    parts = []
    with torch.no_grad():
        for rows in torch.arange(pipeline.num_rows)[world.own].split(_BATCH):
            with autocast():
                parts.append(class_logits(network(pipeline.batch(rows).images)).float())
    return world.gather(torch.cat(parts), rows=pipeline.num_rows)


def evaluate(logits: Tensor, dataset: GroupedDataset) -> Evaluation:
    """Judge the logits of a data set's rows."""
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
