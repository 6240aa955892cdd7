"""Heads fitted with equal weight for every subgroup, with or without a penalty on the gap."""

from __future__ import annotations

from torch import Tensor

from fairdistill.heads.head import Head
from fairdistill.heads.objectives import head_deo, weighted_cross_entropy
from fairdistill.heads.problem import Problem


def balanced_head(problem: Problem) -> Head:
    """Return the head with the lowest cross-entropy where every subgroup weighs the same.

    Deep feature reweighting: Kirichenko, Izmailov and Wilson, *Last Layer Re-Training is Sufficient for Robustness to
    Spurious Correlations* (ICLR 2023), there with a balanced subset in place of the weights, and a new head in place of
    one near the deployed one.
    """
    return problem.balanced


def fair_head(problem: Problem, *, strength: float) -> Head:
    """Return the head that minimizes the balanced cross-entropy plus ``strength`` times the soft DEO.

    The gap that is penalized is that of all rows at once (:func:`~fairdistill.heads.objectives.head_deo`), after gap
    regularization in Chuang and Mroueh, *Fair Mixup* (ICLR 2021). Strength 0 is the balanced head.
    """

    def loss(logits: Tensor) -> Tensor:
        gap = head_deo(logits, problem.labels, problem.groups, num_groups=problem.num_groups)
        return weighted_cross_entropy(logits, problem.labels, problem.weights) + strength * gap

    return problem.near_deployed(loss, start=problem.balanced)
