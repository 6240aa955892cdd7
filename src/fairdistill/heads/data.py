"""The rows that heads are fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.losses.checks import checked_rows


@dataclass(frozen=True, eq=False)
class HeadData:
    """Cached features of N samples with their classes, groups and sources.

    Attributes:
        features: floating point ``[N, D]`` on the CPU, the input of the last layer; it may be memory-mapped.
        labels: int64 ``[N]`` classes in ``[0, num_classes)``.
        groups: int64 ``[N]`` groups in ``[0, num_groups)``, -1 where unknown.
        sources: int64 ``[N]``; samples made from one picture or showing one person share a number.
        num_classes: number of classes C.
        num_groups: number of groups G.

    Raises:
        ValueError: if lengths differ or a class or group is out of range.
    """

    features: Tensor
    labels: Tensor
    groups: Tensor
    sources: Tensor
    num_classes: int
    num_groups: int

    def __post_init__(self) -> None:
        n = len(self.features)
        if self.features.ndim != 2 or not self.features.is_floating_point():
            raise UsageError(
                "Expected argument `features` to be floating point [N, D], "
                f"but got {self.features.dtype} {tuple(self.features.shape)}"
            )
        for name, values in (("labels", self.labels), ("groups", self.groups), ("sources", self.sources)):
            if values.shape != (n,):
                raise UsageError(f"Expected argument `{name}` to have shape ({n},), but got {tuple(values.shape)}")
        checked_rows(n, self.labels, self.groups, num_classes=self.num_classes, num_groups=self.num_groups)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> HeadData:
        """Return these rows, in this order; the features of an index are copied."""
        return HeadData(
            self.features[rows],
            self.labels[rows],
            self.groups[rows],
            self.sources[rows],
            self.num_classes,
            self.num_groups,
        )

    @property
    def cells(self) -> Tensor:
        """int64 ``[C, G]``, the number of rows of each subgroup."""
        return count_cells(self.labels, self.groups, self.num_classes, self.num_groups)


def count_cells(labels: Tensor, groups: Tensor, num_classes: int, num_groups: int) -> Tensor:
    """Return how many rows of known group each subgroup has, int64 ``[C, G]``."""
    known = groups >= 0
    cell = labels[known] * num_groups + groups[known]
    return torch.bincount(cell, minlength=num_classes * num_groups).view(num_classes, num_groups)
