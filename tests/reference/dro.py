"""Group DRO restated: algorithm 1 of Sagawa et al. 2020 with every cell of the batch, one by one, on plain weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def dro_loss(
    logits: Tensor,
    labels: Tensor,
    groups: Tensor,
    q: Tensor,
    *,
    step_size: float,
    adjustment: Tensor | float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return the loss at the new weights, and the new weights ``[C, G]`` themselves."""
    added = torch.as_tensor(adjustment).expand(q.shape)
    losses = [z.exp().sum().log() - z[c] for z, c in zip(logits, labels, strict=True)]
    means: dict[tuple[int, int], Tensor] = {}
    q = q.clone()
    for label in range(q.shape[0]):
        for group in range(q.shape[1]):
            of_cell = [losses[n] for n in range(len(logits)) if labels[n] == label and groups[n] == group]
            if of_cell:
                means[label, group] = torch.stack(of_cell).mean()
                adjusted = means[label, group].item() + float(added[label, group])
                q[label, group] *= math.exp(step_size * adjusted)
    q = q / q.sum()
    loss = logits.new_zeros(())
    for (label, group), mean in means.items():
        loss = loss + q[label, group] * mean
    unknown = [losses[n] for n in range(len(logits)) if groups[n] < 0]
    share = len(unknown) / len(losses)
    loss = (1 - share) * loss
    if unknown:
        loss = loss + share * torch.stack(unknown).mean()
    return loss, q
