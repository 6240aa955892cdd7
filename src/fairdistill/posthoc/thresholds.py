"""One threshold for each group, for two classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import UsageError
from fairdistill.metrics import checked_indices, float_array
from fairdistill.posthoc.checks import check_cells, check_lengths

_Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]
"""``[E]`` lowest and ``[E]`` highest recall of one class that a group may have."""

_LEVELS = 32
"""Recalls of a class that the first search tries as bounds: 528 pairs, so 279,000 pairs of both classes."""
_REACHES = tuple(0.2 / 2**k for k in range(9))
"""How far around the best bounds the later searches look. Starting smaller misses the optimum more often."""
_STEPS = np.linspace(-1, 1, 21)
"""Their steps, as fractions of the reach. The middle step is exactly 0, so that no search is worse than the last."""


@dataclass(frozen=True, eq=False)
class GroupThresholds:
    """One threshold for each group on the probability of class 1, for two classes.

    After Hardt, Price and Srebro, *Equality of Opportunity in Supervised Learning* (NeurIPS 2016), but with fixed
    thresholds where theirs may be randomized: decisions are reproducible, and recalls are only nearly equal.

    Attributes:
        thresholds: float64 ``[G]`` in [0, 1]; samples with a larger score are assigned to class 1. Exactly 0.5 for a
            group in which the fit changed no decision.
    """

    thresholds: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        scores: Any,
        labels: Any,
        groups: Any,
        *,
        num_groups: int,
        group_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> GroupThresholds:
        """Choose the thresholds that maximize accuracy - DEO_A, both fractions, over the samples of known group.

        Given the lowest and the highest recall of each class, every group could choose its most accurate threshold
        within those bounds independently. So the search is over these four numbers: first all combinations of 32
        levels, then a finer grid around the best, down to steps of 0.0001. It is exact if no class has more than 32
        different recalls over all groups and thresholds. In 200 simulated pairs of groups with 750 samples each, it
        found the optimum 186 times and lost at most 0.003 otherwise. Ties go to the thresholds nearest to 0.5. The
        search is deterministic, and its time grows linearly with the number of groups.

        Args:
            scores: floating point ``[N]``, the probability of class 1; an array, a list, or a tensor on any device.
            labels: integer ``[N]``, 0 or 1; an array, a list, or a tensor.
            groups: integer ``[N]`` in ``[0, num_groups)``, or -1 for an unknown group.
            num_groups: number of groups G.
            group_names: ``[G]`` names for errors; the index by default.
            class_names: two names for errors; ``class 0`` and ``class 1`` by default.

        Raises:
            DataError: if a group has no samples of one class.
            ValueError: if the lengths differ, or a value is out of range.

        Example:
            >>> fitted = GroupThresholds.fit([0.2, 0.8, 0.6, 0.9], [0, 1, 0, 1], [0, 0, 1, 1], num_groups=2)
            >>> fitted.thresholds.tolist()
            [0.5, 0.75]
            >>> fitted.predict([0.7, 0.7, 0.7], [0, 1, -1]).tolist()
            [1, 0, 1]
        """
        score = _scores(scores)
        label = checked_indices(labels, "labels", low=0, high=2)
        group = checked_indices(groups, "groups", low=-1, high=num_groups)
        check_lengths(scores=len(score), labels=len(label), groups=len(group))
        check_cells(
            label, group, num_classes=2, num_groups=num_groups, class_names=class_names, group_names=group_names
        )
        curves = [_Curve.of(score[group == g], label[group == g]) for g in range(num_groups)]
        return cls(np.array([curve.cuts[k] for curve, k in zip(curves, _best_cuts(curves), strict=True)]))

    def predict(self, scores: Any, groups: Any) -> NDArray[np.int64]:
        """Return the predicted classes as int64 ``[N]``; the threshold of an unknown group is 0.5.

        Args:
            scores: floating point ``[N]``, as in :meth:`fit`.
            groups: integer ``[N]``, as in :meth:`fit`.

        Raises:
            ValueError: if the lengths differ, or a value is out of range.
        """
        score = _scores(scores)
        group = checked_indices(groups, "groups", low=-1, high=len(self.thresholds))
        check_lengths(scores=len(score), groups=len(group))
        thresholds = np.append(self.thresholds, 0.5)  # -1 reads the last
        return (score > thresholds[group]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Curve:
    """The effect of each threshold on one group."""

    cuts: NDArray[np.float64]
    """``[K]`` rising thresholds in [0, 1], one for each way to divide the distinct scores; 0 is below them all."""
    recalls: NDArray[np.float64]
    """``[2, K]`` recall of class 0, which rises, and of class 1, which falls."""
    hits: NDArray[np.int64]
    """``[K]`` correct rows."""
    order: NDArray[np.int64]
    """``[K]`` cuts from the fewest hits to the most; of equal hits, that nearest to 0.5 last."""
    table: NDArray[np.int32]
    """``[L, K]``: of the 2^l cuts from k on, the place in ``order`` of the best."""
    rows: int

    @classmethod
    def of(cls, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> _Curve:
        ends = np.unique(np.concatenate([scores, [0.0, 1.0]]))
        middle = (ends[:-1] + ends[1:]) / 2
        middle = np.where(middle < ends[1:], middle, ends[:-1])  # there is nothing between neighbouring floats
        cuts = np.append(middle, 1.0)
        cuts[ends.searchsorted(0.5, side="right") - 1] = 0.5  # instead of the middle of the two scores around it
        rejected = np.sort(scores[labels == 0]).searchsorted(cuts, side="right")
        missed = np.sort(scores[labels == 1]).searchsorted(cuts, side="right")
        positives = int(labels.sum())
        negatives = len(labels) - positives
        hits = rejected + positives - missed
        order = np.lexsort((-np.abs(cuts - 0.5), hits))
        return cls(
            cuts=cuts,
            recalls=np.stack([rejected / negatives, (positives - missed) / positives]),
            hits=hits,
            order=order,
            table=_running_maxima(order.argsort().astype(np.int32)),
            rows=len(labels),
        )

    def most_hits(self, bounds: Sequence[_Bounds]) -> NDArray[np.int64]:
        """Return the best cut within each pair of bounds of both recalls, ``[E0 E1]``; -1 if there is none.

        Recalls are monotone, so the bounds leave an interval of cuts, which two rows of the table cover.
        """
        (low0, high0), (low1, high1) = bounds
        rising, falling = self.recalls[0], -self.recalls[1]
        first = np.maximum.outer(rising.searchsorted(low0), falling.searchsorted(-high1)).ravel()
        stop = np.minimum.outer(rising.searchsorted(high0, "right"), falling.searchsorted(-low1, "right")).ravel()
        some = first < stop
        first, stop = first[some], stop[some]
        power = np.frexp(stop - first)[1] - 1  # floor(log2) of the length
        best = np.full(len(some), -1)
        best[some] = self.order[np.maximum(self.table[power, first], self.table[power, stop - 2**power])]
        return best


def _running_maxima(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the largest of the 2^l values from each position on, ``[L, K]``; those ending beyond K are not used."""
    table = [values]
    while 2 ** len(table) <= len(values):
        half = 2 ** (len(table) - 1)
        table.append(np.maximum(table[-1], np.roll(table[-1], -half)))
    return np.stack(table)


def _best_cuts(curves: Sequence[_Curve]) -> NDArray[np.int64]:
    every = np.concatenate([curve.recalls for curve in curves], axis=1)
    best = _best_within(curves, [_all_bounds(recalls) for recalls in every])
    for reach in _REACHES:
        reached = np.stack([curve.recalls[:, k] for curve, k in zip(curves, best, strict=True)], axis=1)
        best = _best_within(curves, [_bounds_around(recalls, reach) for recalls in reached])
    return best


def _best_within(curves: Sequence[_Curve], bounds: Sequence[_Bounds]) -> NDArray[np.int64]:
    """Return the best solution ``[G]`` among those with the most hits in each group within any of the bounds."""
    picks = np.stack([curve.most_hits(bounds) for curve in curves])
    picks = picks[:, (picks >= 0).all(axis=0)]
    chosen = list(zip(curves, picks, strict=True))
    recalls = np.stack([curve.recalls[:, k] for curve, k in chosen])
    accuracy = np.sum([curve.hits[k] for curve, k in chosen], axis=0) / sum(curve.rows for curve in curves)
    value = accuracy - np.ptp(recalls, axis=0).mean(axis=0)
    value = value.round(12)  # ignore differences from the order of summation
    far = np.sum([np.abs(curve.cuts[k] - 0.5) for curve, k in chosen], axis=0)
    best: NDArray[np.int64] = picks[:, np.where(value == value.max(), far, np.inf).argmin()]
    return best


def _all_bounds(recalls: NDArray[np.float64]) -> _Bounds:
    levels = np.unique(recalls)
    if len(levels) > _LEVELS:
        levels = np.linspace(levels[0], levels[-1], _LEVELS)
    low, high = np.triu_indices(len(levels))
    return levels[low], levels[high]


def _bounds_around(recalls: NDArray[np.float64], reach: float) -> _Bounds:
    low, high = np.meshgrid(recalls.min() + reach * _STEPS, recalls.max() + reach * _STEPS)
    return low[low <= high], high[low <= high]


def _scores(scores: Any) -> NDArray[np.float64]:
    values = float_array(scores, "scores")
    if values.ndim != 1:
        raise UsageError(
            f"Expected argument `scores` to be [N], the probability of class 1, but got shape {values.shape}"
        )
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageError(
            f"Expected argument `scores` to lie in [0, 1], the probability of class 1, but row {row} is {values[row]:g}"
        )
    return values.astype(np.float64)
