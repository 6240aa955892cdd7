"""A head fitted with more weight for what the deployed one gets wrong; no group labels are used."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.heads.head import Head
from fairdistill.heads.objectives import weighted_cross_entropy
from fairdistill.heads.problem import Problem


def afr_head(problem: Problem, *, gamma: float) -> Head:
    """Return the head with the lowest cross-entropy under :func:`afr_weights`, near the deployed one."""
    weights = afr_weights(problem.features.logits(problem.deployed), problem.labels, gamma)
    return problem.near_deployed(lambda logits: weighted_cross_entropy(logits, problem.labels, weights))


def afr_weights(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Return weights proportional to exp(-gamma * p) / n, float64 ``[N]`` with sum 1.

    p is the probability that the deployed head gives to the true class and n the number of rows of that class: equation
    4 of Qiu, Potapczynski, Izmailov and Wilson, *Simple and Fast Group Robustness by Automatic Feature Reweighting*
    (ICML 2023).

    Example:
        >>> afr_weights(torch.zeros(3, 2), torch.tensor([0, 0, 1]), 4.0).tolist()
        [0.25, 0.25, 0.5]
    """
    p_true = logits.double().softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
    rows = torch.bincount(labels)[labels].double()
    return F.normalize((-gamma * p_true).exp() / rows, p=1, dim=0)
