"""Accuracy and the difference of equalized odds (DEO), as pure functions of group counts.

Hardt et al., *Equality of Opportunity in Supervised Learning* (NeurIPS 2016), for many classes and groups as in
Jung et al. (CVPR 2021), section 5.1. All values are fractions in [0, 1]. Undefined values are NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.arrays import divided, spread
from fairdistill.metrics.counts import Counts, checked_counts


def accuracy(counts: Counts) -> float:
    """Return the fraction of correct predictions; NaN without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted), see :func:`group_counts`.

    Raises:
        ValueError: if the counts have another shape.

    Example:
        >>> accuracy(np.array([[[3, 1], [0, 4]]]))
        0.875
    """
    counts = checked_counts(counts)
    total = int(counts.sum())
    return float(np.einsum("gcc->", counts) / total) if total else float("nan")


def cell_accuracy(counts: Counts) -> NDArray[np.float64]:
    """Return P(pred = c | true = c, group = g) as float64 ``[G, C]``; NaN for an empty subgroup.

    Example:
        >>> cell_accuracy(np.array([[[3, 1], [0, 4]]])).tolist()
        [[0.75, 1.0]]
    """
    counts = checked_counts(counts)
    return divided(np.einsum("gcc->gc", counts), counts.sum(axis=2))


def balanced_accuracy(counts: Counts) -> float:
    """Return the mean of :func:`cell_accuracy` over all subgroups; NaN if any subgroup is empty.

    The accuracy on samples of which every subgroup had equally many, whatever the sizes in this data. It is the mean
    counterpart of worst-group accuracy (Sagawa et al., *Distributionally Robust Neural Networks*, ICLR 2020), with
    one class of one group as the unit. For a single group, this is :func:`class_balanced_accuracy`.

    Example:
        >>> balanced_accuracy(np.array([[[3, 1], [0, 2]], [[1, 0], [6, 2]]]))
        0.75
    """
    shares = cell_accuracy(counts)
    return float(shares.mean()) if shares.size else float("nan")


def class_balanced_accuracy(counts: Counts) -> float:
    """Return the mean over the classes of each class's accuracy; NaN if a class has no samples.

    Scikit-learn's ``balanced_accuracy_score``, which counts the groups of a class as they are mixed in the data.

    Example:
        >>> class_balanced_accuracy(np.array([[[3, 1], [0, 2]]]))
        0.875
    """
    return float(cell_accuracy(checked_counts(counts).sum(axis=0, keepdims=True)).mean())


def group_accuracy(counts: Counts) -> NDArray[np.float64]:
    """Return the accuracy of each group as float64 ``[G]``; NaN for a group without samples.

    Example:
        >>> group_accuracy(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])).tolist()
        [0.875, 0.75]
    """
    counts = checked_counts(counts)
    return divided(np.einsum("gcc->g", counts), counts.sum(axis=(1, 2)))


def deo_by_class(counts: Counts) -> NDArray[np.float64]:
    """Return the DEO of each class as float64 ``[C]``; NaN for a class with an empty subgroup.

    DEO(c) = max over groups g of P(pred = c | true = c, g) - min over groups g of the same.

    Example:
        >>> deo_by_class(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])).tolist()
        [0.25, 0.5]
    """
    return spread(cell_accuracy(counts))


def deo_a(counts: Counts) -> float:
    """Return DEO_A, the mean of :func:`deo_by_class`; NaN if any subgroup is empty.

    Example:
        >>> deo_a(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.375
    """
    return float(deo_by_class(counts).mean())


def deo_m(counts: Counts) -> float:
    """Return DEO_M, the largest of :func:`deo_by_class`; NaN if any subgroup is empty.

    Example:
        >>> deo_m(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.5
    """
    return float(deo_by_class(counts).max())


def empty_cells(counts: Counts) -> list[tuple[int, int]]:
    """Return the (group, class) of each subgroup without samples, which is why a value above is NaN.

    Example:
        >>> empty_cells(np.array([[[3, 1], [0, 0]]]))
        [(0, 1)]
    """
    return [(int(group), int(label)) for group, label in np.argwhere(checked_counts(counts).sum(axis=2) == 0)]
