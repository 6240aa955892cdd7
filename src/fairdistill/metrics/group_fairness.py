"""Accuracy and DEO accumulated over batches, with the interface of TorchMetrics; NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.counts import Counts, as_array, check_whole, checked_indices, counted
from fairdistill.metrics.fairness import (
    accuracy,
    balanced_accuracy,
    cell_accuracy,
    class_balanced_accuracy,
    deo_a,
    deo_by_class,
    deo_m,
    empty_cells,
    group_accuracy,
)


@dataclass(frozen=True, kw_only=True)
class FairnessValues:
    """The values that :meth:`GroupFairness.compute` returns; fractions in [0, 1], NaN where undefined.

    Attributes:
        accuracy: share of correct predictions.
        balanced_accuracy: mean over subgroups of the share of correct predictions.
        class_balanced_accuracy: the same over classes.
        deo_a: mean over classes of the difference of equalized odds (DEO).
        deo_m: largest DEO of any class.
        deo_by_class: DEO of each class, ``[C]``.
        group_accuracy: accuracy of each group, ``[G]``.
        cell_accuracy: accuracy of each subgroup (one class of one group), ``[G, C]``.
        empty_cells: (group, class) of each subgroup without samples: the reason for any NaN above.
    """

    accuracy: float
    balanced_accuracy: float
    class_balanced_accuracy: float
    deo_a: float
    deo_m: float
    deo_by_class: NDArray[np.float64]
    group_accuracy: NDArray[np.float64]
    cell_accuracy: NDArray[np.float64]
    empty_cells: list[tuple[int, int]]


class GroupFairness:
    """Accuracy and difference of equalized odds (DEO) of a classifier over groups, batch by batch.

    Only counts are kept (``counts``, int64 ``[G, C, C]``: group, true class, predicted class), so that the metric
    takes the same memory for any number of samples, and the metrics of several processes can be merged.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.

    Example:
        >>> metric = GroupFairness(num_classes=2, num_groups=2)
        >>> metric.update(preds=[0, 1, 1, 1], target=[0, 0, 1, 1], groups=[0, 1, 0, 1])
        >>> values = metric.compute()
        >>> values.accuracy, values.deo_a, values.deo_m
        (0.75, 0.5, 1.0)
    """

    def __init__(self, *, num_classes: int, num_groups: int) -> None:
        for name, value in (("num_classes", num_classes), ("num_groups", num_groups)):
            check_whole(name, value, least=1)
        self.num_classes = num_classes
        self.num_groups = num_groups
        self.counts: Counts = np.zeros((num_groups, num_classes, num_classes), dtype=np.int64)

    def update(self, preds: Any, target: Any, groups: Any) -> None:
        """Add a batch.

        Args:
            preds: predicted classes, integer ``[N]``; or scores, for example logits or probabilities, ``[N, C]``, of
                which the largest is the prediction. An array, a list, or a tensor on any device.
            target: true classes, integer ``[N]``.
            groups: groups, integer ``[N]``; samples of group -1 (unknown) are left out.

        Raises:
            ValueError: if the lengths differ, or a value is not an integer in its range; the row is named.
        """
        predicted = as_array(preds)
        if predicted.ndim == 2:
            predicted = self._largest(predicted)
        pred = checked_indices(predicted, "preds", low=0, high=self.num_classes)
        true = checked_indices(target, "target", low=0, high=self.num_classes)
        group = checked_indices(groups, "groups", low=-1, high=self.num_groups)
        if not len(pred) == len(true) == len(group):
            raise ValueError(
                "Expected arguments `preds`, `target` and `groups` to have the same length, "
                f"but got {len(pred)}, {len(true)} and {len(group)}"
            )
        added = counted(true, pred, group, num_classes=self.num_classes, num_groups=self.num_groups)
        self.counts = self.counts + added

    def compute(self) -> FairnessValues:
        """Return the values over all samples since the last reset."""
        return FairnessValues(
            accuracy=accuracy(self.counts),
            balanced_accuracy=balanced_accuracy(self.counts),
            class_balanced_accuracy=class_balanced_accuracy(self.counts),
            deo_a=deo_a(self.counts),
            deo_m=deo_m(self.counts),
            deo_by_class=deo_by_class(self.counts),
            group_accuracy=group_accuracy(self.counts),
            cell_accuracy=cell_accuracy(self.counts),
            empty_cells=empty_cells(self.counts),
        )

    def merge(self, other: GroupFairness) -> None:
        """Add the samples that another metric has seen, for example in another process.

        Raises:
            ValueError: if it has another number of classes or groups.
        """
        if self.counts.shape != other.counts.shape:
            raise ValueError(f"Expected a metric with the sizes of {self!r}, but got {other!r}")
        self.counts = self.counts + other.counts

    def reset(self) -> None:
        """Forget everything seen so far."""
        self.counts = np.zeros_like(self.counts)

    def __repr__(self) -> str:
        return f"GroupFairness(num_classes={self.num_classes}, num_groups={self.num_groups})"

    def _largest(self, scores: NDArray[Any]) -> NDArray[np.int64]:
        if scores.shape[1] != self.num_classes:
            raise ValueError(
                f"Expected argument `preds` to hold classes [N] or scores [N, {self.num_classes}], "
                f"but got shape {scores.shape}"
            )
        undefined = np.flatnonzero(np.isnan(scores).any(axis=1))
        if undefined.size:
            raise ValueError(f"Expected argument `preds` to hold scores, but row {int(undefined[0])} has a NaN")
        largest: NDArray[np.int64] = scores.argmax(axis=1)
        return largest
