"""The optimizer of a run."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.optim import Optimizer

from fairdistill.models import head_name
from fairdistill.system.eager import SGD, Adam, AdamW
from fairdistill.training.optimization.muon import Muon
from fairdistill.training.settings.recipe import Learning


def build_optimizer(
    learning: Learning, network: nn.Module, others: Iterable[nn.Parameter] = (), *, fused: bool = False
) -> Optimizer:
    """Return the run's optimizer.

    Args:
        learning: its name, learning rate and weight decay.
        network: the student, whose frozen weights are left out.
        others: the parameters of loss terms.
        fused: whether Adam and AdamW update all weights in one operation, which is faster and changes last digits.
    """
    lr, decay = learning.lr, learning.weight_decay
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    parameters = [*trained.values(), *others]
    if learning.optimizer == "adam":
        return Adam(parameters, lr=lr, weight_decay=decay, fused=fused or None)
    if learning.optimizer == "adamw":
        return AdamW(parameters, lr=lr, weight_decay=decay, fused=fused or None)
    if learning.optimizer == "muon":
        head = f"{head_name(network)}.weight"
        hidden = [weight for name, weight in trained.items() if weight.ndim > 1 and name != head]
        rest = [weight for name, weight in trained.items() if weight.ndim <= 1 or name == head]
        return Muon(hidden, [*rest, *others], lr=lr, weight_decay=decay)
    return SGD(parameters, lr=lr, weight_decay=decay, momentum=0.9, nesterov=learning.optimizer == "nesterov")
