"""The area under the ROC curve (AUC) of each group with its interval.

The AUC of a class is the chance that a sample of the class scores higher for it than one of another class does, ties
counting half. Of several classes, it is the mean over them, each against the rest (scikit-learn's ``roc_auc_score``
with ``multi_class="ovr"``; Provost and Domingos 2003 weigh the classes by their shares); two classes share one.

Its variance is that of DeLong, DeLong and Clarke-Pearson, *Comparing the Areas under Two or More Correlated Receiver
Operating Characteristic Curves* (Biometrics 1988), with the samples of a source added up as in Obuchowski,
*Nonparametric Analysis of Clustered ROC Curve Data* (Biometrics 1997). It becomes a number of samples, at most that
of scores without information, ``3 m n / (m + n + 1)`` for m samples of the class and n others, and the interval is
Wilson's: where every sample is in order, the variance is 0, but the truth is not certain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.estimate import UNDEFINED, Estimate
from fairdistill.metrics.intervals import wilson_limits
from fairdistill.metrics.test_set.distinct import numbered, sources_per_cell
from fairdistill.metrics.test_set.samples import Samples

MOST = 4_000_000
"""Scores, for more of which the AUC is not computed: sorting them takes many seconds."""


def auc_limits(probabilities: NDArray[np.floating], samples: Samples, *, confidence: float = 0.95) -> list[Estimate]:
    """Return the AUC of each group and, last, of all samples, those of unknown group included.

    It is undefined for a group in which a class has no samples, or all of them.

    Args:
        probabilities: floating point ``[N, C]``.
        samples: classes, groups and sources of the rows.
        confidence: of the intervals, two-sided.

    Example:
        >>> samples = Samples(labels=np.array([0, 0, 1, 1]), groups=np.array([0, 0, 0, 0]), sources=np.arange(4),
        ...                   num_classes=2, num_groups=1)
        >>> scores = np.array([0.1, 0.4, 0.35, 0.8])
        >>> auc_limits(np.stack([1 - scores, scores], axis=1), samples)[0].value
        0.75
    """
    classes = _classes(samples)
    if not 0 < len(classes) * len(probabilities) <= MOST:
        return [UNDEFINED] * (samples.num_groups + 1)
    everyone = np.zeros(len(samples.labels), np.int64)
    of_groups = _Areas(samples.all_groups, samples.num_groups + 1)
    of_all = _Areas(everyone, 1)
    for label in classes:
        order = np.argsort(probabilities[:, label], kind="stable")
        score, belongs = probabilities[order, label], (samples.labels == label)[order]
        for areas in (of_groups, of_all):
            areas.add(order, score, belongs)
    return [*of_groups.estimates(samples, confidence)[:-1], *of_all.estimates(samples, confidence)]


def auc_values(probabilities: NDArray[np.floating], samples: Samples) -> Floats:
    """Return the AUC of each group without intervals, float64 ``[G]``, many times faster; NaN where undefined.

    Args:
        probabilities: floating point ``[N, C]``.
        samples: classes and groups of the rows.

    Example:
        >>> samples = Samples(labels=np.array([0, 0, 1, 1]), groups=np.array([0, 0, 0, 0]), sources=np.arange(4),
        ...                   num_classes=2, num_groups=1)
        >>> scores = np.array([0.1, 0.4, 0.35, 0.8])
        >>> auc_values(np.stack([1 - scores, scores], axis=1), samples).tolist()
        [0.75]
    """
    classes = _classes(samples)
    areas = np.full((samples.num_groups, len(classes)), np.nan)
    if len(classes) * len(probabilities) <= MOST:
        for group in range(samples.num_groups):
            own = np.flatnonzero(samples.groups == group)
            labels = samples.labels[own]
            for at, label in enumerate(classes):
                score = probabilities[own, label]
                areas[group, at] = _area(score[labels == label], score[labels != label])
    return np.asarray(areas.mean(axis=1))


def _area(of_class: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Return the chance that a score of the class is above one of another, ties counting half."""
    if not len(of_class) or not len(others):
        return float("nan")
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, of_class, side=side).sum() for side in ("left", "right"))
    return float(below + up_to) / (2 * len(of_class) * len(others))


def _classes(samples: Samples) -> range:
    """Return the classes of which the AUC is the mean; two share one."""
    return range(1, 2) if samples.num_classes == 2 else range(samples.num_classes)


class _Areas:
    """The AUC of disjoint sets of samples, and what each sample adds to it.

    Args:
        of: int64 ``[N]``: the set of each sample.
        sets: S.
    """

    def __init__(self, of: Ints, sets: int) -> None:
        self._of, self._sets = of, sets
        self._areas: list[Floats] = []
        self._most = np.zeros(sets)
        self._added = np.zeros(len(of))

    def add(self, order: Ints, score: NDArray[np.floating], belongs: Flags) -> None:
        """Add a class, given the samples in ascending order of their scores, and which of these belong to it."""
        if self._sets > 1:
            by_set = np.argsort(self._of[order].astype(np.min_scalar_type(self._sets)), kind="stable")
            order, score, belongs = order[by_set], score[by_set], belongs[by_set]
        own = self._of[order]
        both = np.stack([~belongs, belongs]).astype(np.float64)
        totals = np.stack([np.bincount(own, each, self._sets) for each in both])
        with np.errstate(invalid="ignore", divide="ignore"):
            share = _below(own, score, both) / totals[:, own]
            chance = np.where(belongs, share[0], 1 - share[1])  # to be in order with a sample of the other kind
            area = np.bincount(own[belongs], chance[belongs], self._sets) / totals[1]
            area = np.where(totals[0] > 0, area, np.nan)
            size = totals[belongs.astype(np.int64), own]
            # As for a variance from a sample, n - 1 counts.
            added = (chance - area[own]) / np.sqrt(size * np.maximum(size - 1, 1))
            self._most += 3 * totals[0] * totals[1] / (totals.sum(axis=0) + 1)
        self._areas.append(area)
        self._added[order] += np.nan_to_num(added)

    def estimates(self, samples: Samples, confidence: float) -> list[Estimate]:
        """Return the mean over the classes in each set, with its interval."""
        number = len(self._areas)
        area = np.mean(self._areas, axis=0)
        owner = numbered(samples.sources)
        at = numbered(self._of * (int(owner.max(initial=0)) + 1) + owner)
        of_pair = np.zeros(int(at.max(initial=-1)) + 1, np.int64)
        of_pair[at] = self._of
        variance = np.bincount(of_pair, np.bincount(at, self._added) ** 2, self._sets) / number**2
        rows = np.bincount(self._of, minlength=self._sets)
        single = sources_per_cell(self._of, samples.sources, self._sets) / np.maximum(rows, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            worth = np.where(variance > 0, area * (1 - area) / variance, np.inf)
        worth = np.maximum(np.minimum(worth, self._most * single), 1)
        found = wilson_limits(area, worth, confidence=confidence)
        return [UNDEFINED if np.isnan(value) else found.at(place) for place, value in enumerate(area.tolist())]


def _below(own: Ints, score: NDArray[np.floating], both: Floats) -> Floats:
    """Return how many of the same set score less than each sample, ties counting half: of others and of the class.

    Args:
        own: int64 ``[N]``: the sets, ascending.
        score: ``[N]``: ascending in each set.
        both: float64 ``[2, N]``: which samples are counted.
    """
    first = np.flatnonzero(np.r_[True, (own[1:] != own[:-1]) | (score[1:] != score[:-1])])
    tied = np.add.reduceat(both, first, axis=1)
    before = np.cumsum(tied, axis=1) - tied
    begins = np.flatnonzero(np.r_[True, np.diff(own[first]) != 0])  # of each set, among the tied
    before -= np.repeat(before[:, begins], np.diff(np.append(begins, len(first))), axis=1)
    return np.repeat(before + tied / 2, np.diff(np.append(first, len(own))), axis=1)
