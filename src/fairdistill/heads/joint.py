"""A linear head for class and group together, and class probabilities corrected for how groups are mixed."""

from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.heads.head import Head
from fairdistill.heads.minimize import minimize
from fairdistill.heads.objectives import weighted_cross_entropy
from fairdistill.heads.standardized import Standardized

_PENALTY = 0.003  # of the distance to the deployed head; the groups are still to be learned


def joint_head(features: Standardized, labels: Tensor, groups: Tensor, cells: Tensor, deployed: Head) -> Head:
    """Return a linear head for p(class, group | features), with one output per subgroup, class by class.

    It is fitted to the rows of known group with the weights of the data, so that its probabilities are calibrated to
    their mixture. It starts from the deployed head, the same for every group.

    Args:
        features: standardized, ``[N, D]``.
        labels: int64 ``[N]``.
        groups: int64 ``[N]``, -1 where unknown.
        cells: int64 ``[C, G]``, the number of rows of each subgroup.
        deployed: the deployed head of the standardized features.
    """
    num_groups = cells.shape[1]
    rows = cells.double()
    share = (rows / rows.sum(1, keepdim=True).clamp_min(1)).clamp_min(float(1 / rows.sum()))
    anchor = Head(
        deployed.weight.repeat_interleave(num_groups, 0),
        deployed.bias.repeat_interleave(num_groups) + share.log().flatten(),
    )
    target = labels * num_groups + groups.clamp_min(0)
    weights = (groups >= 0).double() / rows.sum()

    def loss(logits: Tensor) -> Tensor:
        return weighted_cross_entropy(logits.masked_fill((cells == 0).flatten(), _NEVER), target, weights)

    return minimize(features, loss, anchor=anchor, penalty=_PENALTY)


_NEVER = -1e30  # the logit of a subgroup without rows; minus infinity would make its gradient NaN


def joint_probabilities(logits: Tensor, cells: Tensor) -> Tensor:
    """Return probabilities ``[N, C, G]`` of a joint head's logits ``[N, C * G]``; 0 for subgroups without rows."""
    return logits.double().masked_fill((cells == 0).flatten(), _NEVER).softmax(1).view(-1, *cells.shape)


def corrected(joint: Tensor, prior: Tensor, power: float) -> Tensor:
    """Return class probabilities with the mixture of the training data divided out.

        q(c | x) is proportional to the sum over groups g of p(c, g | x) / prior(c, g)^power

    With power 1 they are those of a population in which all subgroups are equally frequent; with power 0, p(c | x).
    Prior correction with the group summed out: "RBA, sum out" in Wang et al., *Towards Fairness in Visual Recognition*
    (CVPR 2020), where the power is 1.

    Args:
        joint: ``[N, C, G]`` probabilities.
        prior: ``[C, G]`` fractions of the subgroups; those of 0 are left out.
        power: how much of the prior is divided out.

    Example:
        >>> joint, prior = torch.tensor([[[0.4, 0.1], [0.2, 0.3]]]), torch.tensor([[0.4, 0.1], [0.1, 0.4]])
        >>> [round(p, 3) for p in corrected(joint, prior, 1.0)[0].tolist()]
        [0.421, 0.579]
    """
    factor = torch.where(prior > 0, prior.clamp_min(torch.finfo(prior.dtype).tiny) ** -power, 0.0)
    weighed = (joint * factor).sum(2)
    return weighed / weighed.sum(1, keepdim=True)
