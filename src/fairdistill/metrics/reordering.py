"""Whether another order of a model's outputs fits its classes much better: the usual sign of a wrong mapping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.metrics.test_set.samples import Samples

_MARGIN = 0.1  # recall that each class must gain on average to be moved
_CLEAR_RISE = 0.4  # in the mean recall of the moved classes, whatever the accuracy of the others
_RISE_OF_ACCURACY, _RATIO_OF_ACCURACY = 0.05, 1.25
_STANDARD_ERRORS = 3.5
_FEWEST = 8  # sources; a class with fewer stays
_MOST_CLASSES = 2_000
_TIE = 1e-3  # of a sample: a class without samples stays unless its output fits another class


@dataclass(frozen=True)
class Reordering:
    """An order of the outputs that fits much better.

    Attributes:
        meant: for each class that the model predicts, the class that it seems to mean.
        accuracy: the accuracy of this reading, a fraction.
    """

    meant: tuple[int, ...]
    accuracy: float


def better_order(predicted: NDArray[np.int64], samples: Samples) -> Reordering | None:
    """Return the order of a model's outputs that fits much better than the given one, None if there is none.

    With ``N[t, p]`` the number of samples of class t that are predicted as p, the assignment s of outputs to classes
    maximizes the sum of ``N[t, s(t)]``, where a class that stays counts a tenth of its samples more. It is returned
    only if

    * the mean recall of the moved classes rises by at least 0.8 / C for C classes (from 0.3 to 0.7 with two), at least
      0.1, and that of two or more classes by 0.1;
    * the accuracy rises by 5 points and by a quarter, or the mean recall of the moved classes by 0.4;
    * the assignment found on one half of the sources raises the mean recall of the classes that it moves in the other
      half, and both halves together by 3.5 standard errors. Classes with 1 to 7 sources stay; the output of
      a class without samples may mean another, as it does if numbers start at 1 instead of 0.

    Every class counts the same in a mean recall, so a model that predicts a single class never has a better order; the
    last condition excludes models that guess.

    Args:
        predicted: int64 ``[N]`` predicted classes.
        samples: the N samples, with their true classes and sources.

    Example:
        >>> labels, sources = np.arange(90) % 3, np.arange(90)
        >>> samples = Samples(labels=labels, groups=0 * labels, sources=sources, num_classes=3, num_groups=1)
        >>> better_order((labels + 1) % 3, samples)
        Reordering(meant=(2, 0, 1), accuracy=1.0)
        >>> better_order(labels, samples) is None
        True
    """
    classes = samples.num_classes
    if classes > _MOST_CLASSES:
        return None
    counts = _counts(predicted, samples.labels, classes)
    if not _may_gain(counts):
        return None
    _, sources = np.unique(samples.sources, return_inverse=True)
    whole = _Confusion(counts, sources_per_cell(samples.labels, sources, classes))
    order = whole.order()
    hits, now = whole.counts[np.arange(classes), order].sum(), whole.counts.trace()
    rise = _mean(whole.rises(order))
    if rise < max(_MARGIN, 0.8 / classes) or (whole.rises(order) >= _MARGIN).sum() < 2:
        return None
    much = hits - now >= _RISE_OF_ACCURACY * len(predicted) and hits >= _RATIO_OF_ACCURACY * now
    if not (much or rise >= _CLEAR_RISE):
        return None
    half = np.random.default_rng(0).permutation(int(sources.max()) + 1)[sources] % 2 == 0
    one, other = (
        _Confusion(
            _counts(predicted[rows], samples.labels[rows], classes),
            sources_per_cell(samples.labels[rows], sources[rows], classes),
        )
        for rows in (half, ~half)
    )
    if not _confirmed(one.rise(other.order()), other.rise(one.order())):
        return None
    return Reordering(tuple(np.argsort(order).tolist()), float(hits / len(predicted)))


def _counts(predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def _may_gain(counts: NDArray[np.int64]) -> bool:
    """Return whether at least two classes have more samples predicted as another class than correctly."""
    return int((counts.max(axis=1) > counts.diagonal()).sum()) >= 2


@dataclass(frozen=True, eq=False)
class _Confusion:
    """Samples by true and predicted class.

    Attributes:
        counts: int64 ``[C, C]``.
        sources: number of independent sources of each class, int64 ``[C]``.
    """

    counts: NDArray[np.int64]
    sources: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """``R[t, p]``; 0 for a class without samples."""
        return np.asarray(self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1))

    def order(self) -> NDArray[np.int64]:
        """Return the output that fits each class best, int64 ``[C]``."""
        from scipy.optimize import linear_sum_assignment

        few = (self.sources > 0) & (self.sources < _FEWEST)
        stays = np.where(self.sources > 0, _MARGIN * self.counts.sum(axis=1), _TIE)
        bonus = np.diag(np.where(few, self.counts.sum(), stays))
        return np.asarray(linear_sum_assignment(self.counts + bonus, maximize=True)[1], np.int64)

    def rises(self, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return by how much the recall of each moved class with samples rises."""
        moved = self._moved(order)
        return np.asarray(self.shares[moved, order[moved]] - self.shares[moved, moved])

    def rise(self, order: NDArray[np.int64]) -> tuple[float, float]:
        """Return by how much the mean recall of the moved classes rises, and the standard error of that."""
        moved = self._moved(order)
        if not len(moved):
            return 0.0, 0.0
        sources = self.sources[moved]
        # The share of samples that are right in either order, which bounds the variance of the difference.
        either = ((self.shares[moved, order[moved]] + self.shares[moved, moved]) * sources + 1) / (sources + 2)
        return _mean(self.rises(order)), float(np.sqrt((either / sources).sum())) / len(moved)

    def _moved(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.flatnonzero((order != np.arange(len(order))) & (self.sources > 0))


def _confirmed(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether both halves show a rise, and their mean one that noise cannot."""
    error = math.hypot(one[1], other[1])
    return min(one[0], other[0]) > 0 and one[0] + other[0] >= _STANDARD_ERRORS * error


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
