"""The optimizer of a run."""

from __future__ import annotations

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from fairdistill.training.options import BudgetOptions


def build_optimizer(options: BudgetOptions, parameters: list[nn.Parameter]) -> Optimizer:
    """Return the run's optimizer."""
    lr, decay = options.lr, options.weight_decay
    if options.optimizer == "adam":
        return Adam(parameters, lr=lr, weight_decay=decay)
    if options.optimizer == "adamw":
        return AdamW(parameters, lr=lr, weight_decay=decay)
    return SGD(parameters, lr=lr, weight_decay=decay, momentum=0.9)
