"""One head for each group, averaged."""

from __future__ import annotations

import torch

from fairdistill.heads.head import Head
from fairdistill.heads.objectives import weighted_cross_entropy
from fairdistill.heads.problem import Problem


def independent_head(problem: Problem) -> Head:
    """Return the mean of one head per group, each fitted to that group with equal weight for its classes.

    Domain-independent training: Wang et al., *Towards Fairness in Visual Recognition* (CVPR 2020), on the last layer
    alone. There the groups' outputs are averaged, which for linear heads is a single head: the mean of all of them.
    """
    heads = []
    for group in range(problem.num_groups):
        own = torch.where(problem.groups == group, problem.weights, 0.0)
        own = own / own.sum()
        heads.append(
            problem.near_deployed(
                lambda logits, own=own: weighted_cross_entropy(logits, problem.labels, own),  # type: ignore[misc]
                start=problem.balanced,
            )
        )
    return Head(
        torch.stack([head.weight for head in heads]).mean(0), torch.stack([head.bias for head in heads]).mean(0)
    )
