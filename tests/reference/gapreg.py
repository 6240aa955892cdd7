"""Gap regularization restated: every class and group one by one, the running means as lists of weighted samples."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_deo(p: Tensor, present: Tensor, *, rounding: float = 1e-3) -> Tensor:
    """Return the sum over classes of the rounded standard deviation between the groups that are present."""
    total = p.new_zeros(())
    for label in range(p.shape[0]):
        of_class = [p[label, group] for group in range(p.shape[1]) if present[label, group]]
        if len(of_class) < 2:
            continue
        mean = torch.stack(of_class).mean()
        variance = torch.stack([(value - mean) ** 2 for value in of_class]).mean()
        total = total + (variance + rounding**2).sqrt() - rounding
    return total


def gapreg_loss(
    batches: list[tuple[Tensor, Tensor, Tensor]], *, num_classes: int, num_groups: int, window: float
) -> Tensor:
    """Return the loss after the last of these batches (logits, labels, groups), with its gradient alone.

    A subgroup's weights decay with every later batch that it is in.
    """
    p = torch.zeros(num_classes, num_groups, dtype=torch.float64)
    present = torch.zeros(num_classes, num_groups, dtype=torch.bool)
    for label in range(num_classes):
        for group in range(num_groups):
            found = []
            for logits, labels, groups in batches:
                rows = [n for n in range(len(logits)) if labels[n] == label and groups[n] == group]
                if rows:
                    found.append(torch.stack([logits[n].softmax(0)[label] for n in rows]))
            if not found:
                continue
            weights = [(1 - 1 / window) ** (len(found) - 1 - i) for i in range(len(found))]
            mean = sum(w * q.detach().sum() for w, q in zip(weights, found, strict=True)) / sum(
                w * len(q) for w, q in zip(weights, found, strict=True)
            )
            _, last_labels, last_groups = batches[-1]
            if any(c == label and g == group for c, g in zip(last_labels.tolist(), last_groups.tolist(), strict=True)):
                mean = mean + found[-1].mean() - found[-1].mean().detach()
            p[label, group] = mean
            present[label, group] = True
    return soft_deo(p, present)
