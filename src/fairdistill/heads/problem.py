"""What one fit sees: rows with standardized features, and the deployed head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from fairdistill.heads.data import count_cells
from fairdistill.heads.head import Head
from fairdistill.heads.joint import joint_head, joint_probabilities
from fairdistill.heads.minimize import Loss, minimize
from fairdistill.heads.objectives import balanced_weights, weighted_cross_entropy
from fairdistill.heads.standardized import Standardized

PENALTY = 0.01
"""Factor of the squared distance to the deployed head, on standardized features."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to fit a head to. All heads here are those of the standardized features.

    Attributes:
        features: standardized, ``[N, D]``.
        labels: int64 ``[N]``.
        groups: int64 ``[N]``, -1 where unknown.
        num_groups: number of groups G.
        deployed: the head that the fits start from.
        seed: of the fits that draw batches.
    """

    features: Standardized
    labels: Tensor
    groups: Tensor
    num_groups: int
    deployed: Head
    seed: int

    @property
    def num_classes(self) -> int:
        """Number of classes C."""
        return len(self.deployed.bias)

    @cached_property
    def cells(self) -> Tensor:
        """int64 ``[C, G]``, the number of rows of each subgroup."""
        return count_cells(self.labels, self.groups, self.num_classes, self.num_groups)

    @cached_property
    def weights(self) -> Tensor:
        """float64 ``[N]``, equal for all subgroups in sum."""
        return balanced_weights(self.labels, self.groups, num_classes=self.num_classes, num_groups=self.num_groups)

    def near_deployed(self, loss: Loss, *, start: Head | None = None, penalty: float = PENALTY) -> Head:
        """Return the head that minimizes a loss plus the penalized distance to the deployed head."""
        return minimize(self.features, loss, anchor=self.deployed, penalty=penalty, start=start)

    @cached_property
    def balanced(self) -> Head:
        """The balanced head; where other fits start."""
        return self.near_deployed(self.balanced_loss)

    def balanced_loss(self, logits: Tensor) -> Tensor:
        """Return the cross-entropy in which every subgroup weighs the same."""
        return weighted_cross_entropy(logits, self.labels, self.weights)

    @cached_property
    def joint(self) -> Tensor:
        """p(class, group | features) of a linear head, float64 ``[N, C, G]``, for all rows."""
        head = joint_head(self.features, self.labels, self.groups, self.cells, self.deployed)
        return joint_probabilities(self.features.logits(head), self.cells)

    def imitated(self, targets: Tensor) -> Head:
        """Return the head whose probabilities are closest to targets ``[N, C]``: soft cross-entropy, all rows alike."""
        even = torch.full((len(targets),), 1 / len(targets), dtype=torch.float64)
        loss = lambda logits: weighted_cross_entropy(logits, targets, even)  # noqa: E731
        return self.near_deployed(loss, start=self.balanced, penalty=_LOOSE)


_LOOSE = 1e-3  # only keeps the minimum unique: the targets themselves are the regularization
