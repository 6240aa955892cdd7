"""The basis of every interval and test: a test set's samples, and how new test sets are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.counts import as_array, check_whole, checked_indices

Design = Literal["random", "balanced"]
"""How a test set was sampled: at random, or with as many samples of each subgroup as planned."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """A test set of N samples, without any predictions.

    It may be made from integer arrays, lists or tensors of any kind.

    Attributes:
        labels: int64 ``[N]`` classes in ``[0, num_classes)``.
        groups: int64 ``[N]`` groups in ``[0, num_groups)``; -1 where unknown.
        sources: int64 ``[N]``: samples with the same number were made from one picture or show one person, and are
            drawn together. ``np.arange(N)`` if all samples are independent; ``np.unique(names,
            return_inverse=True)[1]`` numbers names.
        num_classes: C.
        num_groups: G.

    Raises:
        ValueError: if the lengths differ, or a value is not an integer in range; the row is named.

    Example:
        >>> samples = Samples(labels=[0, 0, 1], groups=[0, 1, -1], sources=np.arange(3), num_classes=2, num_groups=2)
        >>> samples.cells.tolist()
        [0, 2, -1]
    """

    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    sources: NDArray[np.int64]
    num_classes: int
    num_groups: int

    def __post_init__(self) -> None:
        sources = as_array(self.sources)
        if sources.size and sources.dtype.kind not in "iu":
            raise ValueError(
                f"Expected argument `sources` to hold integers, but got {sources.dtype}; "
                "np.unique(sources, return_inverse=True)[1] numbers names"
            )
        checked = {
            "labels": checked_indices(self.labels, "labels", low=0, high=self.num_classes),
            "groups": checked_indices(self.groups, "groups", low=-1, high=self.num_groups),
            "sources": checked_indices(sources, "sources", low=-(2**63), high=2**63),
        }
        lengths = [len(values) for values in checked.values()]
        if len(set(lengths)) > 1:
            raise ValueError(
                "Expected arguments `labels`, `groups` and `sources` to have the same length, "
                f"but got {lengths[0]}, {lengths[1]} and {lengths[2]}"
            )
        for name, values in checked.items():
            object.__setattr__(self, name, values)

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
        confidence: of the intervals, two-sided; between 0 and 1.
        draws: number of test sets to draw, at least 100.
        seed: of the draws.
        design: ``random``: another test set would have as many samples of each group, but other numbers of each class
            in it; ``balanced``: it would have as many samples of every subgroup.

    Raises:
        ValueError: if one of them is out of range.

    Example:
        >>> Drawing(confidence=0.99).draws
        10000
    """

    confidence: float = 0.95
    draws: int = 10_000
    seed: int = 0
    design: Design = "random"

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"Expected argument `confidence` to lie between 0 and 1, but got {self.confidence}")
        check_whole("draws", self.draws, least=100)
        check_whole("seed", self.seed, least=0)
        if self.design not in get_args(Design):
            raise ValueError(f"Expected argument `design` to be random or balanced, but got {self.design!r}")


DEFAULT_DRAWING = Drawing()
