"""The adversary restated: one ordinary network per class, row by row, and one optimizer and schedule for each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import ReduceLROnPlateau


def adversary_losses(logits: Tensor, labels: Tensor, groups: Tensor, networks: Sequence[nn.Module]) -> list[Tensor]:
    """Return each class's mean of -log softmax(network(row))[group]; 0 for a class without rows."""
    losses = []
    for label, network in enumerate(networks):
        of_class = []
        for row in range(len(logits)):
            if labels[row] == label and groups[row] >= 0:
                scores = network(logits[row])
                of_class.append(scores.exp().sum().log() - scores[groups[row]])
        losses.append(torch.stack(of_class).sum() / len(of_class) if of_class else logits.new_zeros(()))
    return losses


class SeparateAdversaries:
    """An adversary a class, each with torch's own Adam and plateau schedule."""

    def __init__(self, networks: Sequence[nn.Module], *, lr: float) -> None:
        self.networks = networks
        self.optimizers = [Adam(network.parameters(), lr=lr) for network in networks]
        self.schedules = [ReduceLROnPlateau(optimizer) for optimizer in self.optimizers]

    def step(self, logits: Tensor, labels: Tensor, groups: Tensor) -> None:
        """Train each adversary on one batch."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        torch.stack(adversary_losses(logits, labels, groups, self.networks)).sum().backward()
        for optimizer in self.optimizers:
            optimizer.step()

    def validate(self, logits: Tensor, labels: Tensor, groups: Tensor) -> None:
        """Let each schedule see the loss of its own adversary."""
        with torch.no_grad():
            losses = adversary_losses(logits, labels, groups, self.networks)
        for schedule, loss in zip(self.schedules, losses, strict=True):
            schedule.step(loss.item())
