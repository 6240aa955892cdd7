"""The basis of every interval and test: a test set's samples, and how new test sets are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Design = Literal["random", "balanced"]
"""How a test set was sampled: at random, or with as many samples of each subgroup as planned."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """A test set of N samples, without any predictions.

    Attributes:
        labels: int64 ``[N]`` classes in ``[0, num_classes)``.
        groups: int64 ``[N]`` groups in ``[0, num_groups)``; -1 where unknown.
        sources: int64 ``[N]``: samples with the same number were made from one picture or show one person, and are
            drawn together.
        num_classes: C.
        num_groups: G.
    """

    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    sources: NDArray[np.int64]
    num_classes: int
    num_groups: int

    @property
    def cells(self) -> NDArray[np.int64]:
        """The subgroup of each sample as ``group * C + class``, int64 ``[N]``; below 0 where the group is unknown."""
        return self.groups * self.num_classes + self.labels

    @property
    def all_groups(self) -> NDArray[np.int64]:
        """The groups with the unknown one as the last of ``G + 1``, int64 ``[N]``."""
        return np.where(self.groups < 0, self.num_groups, self.groups)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How test sets are drawn for intervals and tests.

    Attributes:
        confidence: of the intervals, two-sided.
        draws: number of test sets to draw.
        seed: of the draws.
        design: ``random``: another test set would have as many samples of each group, but other numbers of each class
            in it; ``balanced``: it would have as many samples of every subgroup.
    """

    confidence: float = 0.95
    draws: int = 10_000
    seed: int = 0
    design: Design = "random"


DEFAULT_DRAWING = Drawing()
