"""A linear map of the features that brings the groups of each class together, folded into the head."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.heads.head import Head
from fairdistill.heads.problem import Problem
from fairdistill.losses import mfd_loss
from fairdistill.system.eager import Adam

MOST_FEATURES = 2048
"""More would need a map of over 16 MiB, and minutes."""
_STEPS = 100
_RATE = 3e-3
_ROWS = 240  # of a batch, over all subgroups; at least 4 of each


def feature_mfd_head(problem: Problem, *, strength: float) -> Head:
    """Return the head W A, where the linear map A of the features is trained with fair feature distillation.

    A starts at the identity. It minimizes the cross-entropy of the deployed head W on the mapped features plus
    ``strength`` times :func:`~fairdistill.losses.mfd_loss` between the features, as the teacher's, and the mapped ones,
    as the student's, on batches with equally many rows of every subgroup. The bias is trained too.
    """
    rows = torch.Generator().manual_seed(problem.seed)
    weight = problem.deployed.weight.float()
    size = weight.shape[1]
    with torch.enable_grad():
        mapping = torch.eye(size, requires_grad=True)
        bias = problem.deployed.bias.float().clone().requires_grad_()
        optimizer = Adam([mapping, bias], lr=_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
        for batch in _balanced_batches(problem, rows):
            teacher = problem.features.take(batch)
            labels, groups = problem.labels[batch], problem.groups[batch]
            student = teacher @ mapping.T
            loss = F.cross_entropy(student @ weight.T + bias, labels) + strength * mfd_loss(
                student, teacher, labels, groups, num_classes=problem.num_classes, num_groups=problem.num_groups
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return Head((weight @ mapping.detach()).double(), bias.detach().double())


def _balanced_batches(problem: Problem, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the rows of each step's batch: of every subgroup equally many, drawn with replacement."""
    cell = torch.where(problem.groups >= 0, problem.labels * problem.num_groups + problem.groups, -1)
    members = [found for k in range(problem.cells.numel()) if len(found := (cell == k).nonzero().flatten())]
    each = max(4, _ROWS // len(members))
    for _ in range(_STEPS):
        yield torch.cat([own[torch.randint(len(own), (each,), generator=generator)] for own in members])
