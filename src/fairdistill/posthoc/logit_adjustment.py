"""One offset for each group and class, for any number of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import UsageError
from fairdistill.metrics import checked_indices, probability_rows
from fairdistill.posthoc.checks import check_cells, check_lengths

_FLOOR = float(np.finfo(np.float32).tiny)
"""Smallest probability; see :meth:`GroupLogitAdjustment.fit`."""
_RIDGE = 1e-6
"""Weight of the ridge term; see :meth:`GroupLogitAdjustment.fit`."""


@dataclass(frozen=True, eq=False)
class GroupLogitAdjustment:
    """One offset per group and class on the log-probability, for any number of classes.

    The prediction is argmax_c log p_c(x) + b_gc. This is the post-hoc form of Menon et al., *Long-tail learning via
    logit adjustment* (ICLR 2021), section 4.1, where b_c = -log(prior of c). Here the prior is the one
    the model implicitly uses in each group, estimated from its probabilities rather than counted.

    Attributes:
        offsets: float64 ``[G, C]``, natural logarithms; the offsets of a group sum to 0.
    """

    offsets: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        probabilities: Any,
        labels: Any,
        groups: Any,
        *,
        num_groups: int,
        group_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> GroupLogitAdjustment:
        """Choose the offsets that make each group's predictions those of equally frequent classes.

        b_g = argmin_b 1/C sum_c 1/n_gc sum_{n in (g, c)} -log softmax(log p_n + b)_c + 1e-6/2 |b|^2

        At the minimum, the mean probability of every class is 1/C in every group, weighting its classes equally. The
        problem is convex and every class has samples, so the minimum exists; damped Newton steps find it on all
        samples. The ridge term is for overconfident models: where all probability is on one class, the loss is flat
        to the last digit, and the smallest of the equally good offsets is chosen. It barely affects other models.

        Probabilities below 1.2e-38, the smallest normal float32, are raised to that value: a float32 softmax cannot go
        lower, so 0 only means "less probable", and its logarithm would be infinite whatever the offset.

        Args:
            probabilities: floating point ``[N, C]``, rows sum to 1; an array, a list, or a tensor.
            labels: integer ``[N]`` classes in ``[0, C)``; an array, a list, or a tensor.
            groups: integer ``[N]`` in ``[0, num_groups)``, or -1 for an unknown group.
            num_groups: number of groups G.
            group_names: ``[G]`` names for errors; the index by default.
            class_names: ``[C]`` names for errors; ``class 0`` and so on by default.

        Raises:
            DataError: if a subgroup has no samples: nothing would bound its offset.
            ValueError: if the lengths differ, or a value is out of range.

        Example:
            >>> shares = [[0.8, 0.2], [0.6, 0.4], [0.9, 0.1], [0.5, 0.5]]
            >>> fitted = GroupLogitAdjustment.fit(shares, [0, 1, 0, 1], [0, 0, 0, 0], num_groups=1)
            >>> fitted.offsets.round(2).tolist()
            [[-0.49, 0.49]]
            >>> fitted.predict(shares, [0, 0, 0, -1]).tolist()
            [0, 1, 0, 0]
        """
        share = probability_rows(probabilities)
        classes = share.shape[1]
        label = checked_indices(labels, "labels", low=0, high=classes)
        group = checked_indices(groups, "groups", low=-1, high=num_groups)
        check_lengths(probabilities=len(share), labels=len(label), groups=len(group))
        check_cells(
            label, group, num_classes=classes, num_groups=num_groups, class_names=class_names, group_names=group_names
        )
        return cls(np.stack([_balancing_offsets(share[group == g], label[group == g]) for g in range(num_groups)]))

    def predict(self, probabilities: Any, groups: Any) -> NDArray[np.int64]:
        """Return the predicted classes as int64 ``[N]``; the offsets of an unknown group are 0.

        Args:
            probabilities: floating point ``[N, C]``, as in :meth:`fit`.
            groups: integer ``[N]``, as in :meth:`fit`.

        Raises:
            ValueError: if the lengths or the number of classes differ, or a value is out of range.
        """
        share = probability_rows(probabilities)
        group = checked_indices(groups, "groups", low=-1, high=len(self.offsets))
        check_lengths(probabilities=len(share), groups=len(group))
        classes = self.offsets.shape[1]
        if share.shape[1] != classes:
            raise UsageError(
                f"Expected argument `probabilities` to have {classes} classes, as in the fit, but got {share.shape[1]}"
            )
        offsets = np.vstack([self.offsets, np.zeros(classes)])  # -1 reads the last
        return np.asarray((finite_logs(share) + offsets[group]).argmax(axis=1), dtype=np.int64)


def finite_logs(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Return the logarithms of probabilities, each raised to at least 1.2e-38."""
    return np.asarray(np.log(np.maximum(probabilities, _FLOOR, dtype=np.float64)))


def _balancing_offsets(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Minimize f(b) = sum_n w_n log(sum_c p_nc exp b_c) - mean(b) + ridge, w_n = 1 / (C rows of the class of n).

    This is the loss of :meth:`GroupLogitAdjustment.fit` up to a constant. Its gradient sums to 0 over the classes
    when b does, and so does each step.
    """
    p = np.maximum(probabilities, _FLOOR, dtype=np.float64)
    classes = p.shape[1]
    weights = 1 / (classes * np.bincount(labels, minlength=classes))[labels]

    def loss(b: NDArray[np.float64]) -> float:
        top = b.max()  # exp cannot overflow
        return float(weights @ np.log(p @ np.exp(b - top)) + top - b.mean() + _RIDGE / 2 * b @ b)

    b = np.zeros(classes)
    for _ in range(1000):  # usually a few; where the loss is flat, one per 5 units
        scale = np.exp(b - b.max())
        total = p @ scale
        mean = scale * ((weights / total) @ p)
        shared = (p.T * (weights / total**2)) @ p * np.outer(scale, scale)
        gradient = mean - 1 / classes + _RIDGE * b
        step = np.linalg.solve(np.diag(mean + _RIDGE) - shared, gradient)
        gain = float(gradient @ step)
        if gain < 1e-10:  # the last step squares an error that is already tiny
            b = b - step
            return np.asarray(b - b.mean())
        length = min(1.0, 5.0 / float(np.abs(step).max()))
        before = loss(b)
        while loss(b - length * step) > before - 1e-4 * length * gain:
            length /= 2
        b = b - length * step
    raise AssertionError("Newton's method did not reach the minimum of a convex function")
