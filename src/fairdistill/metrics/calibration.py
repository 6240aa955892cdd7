"""How far a model's confidence is from its accuracy in each group, from statistics that add up.

Guo et al., *On Calibration of Modern Neural Networks* (ICML 2017). The confidence of a sample is its
largest probability; the class with that probability is the prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.arrays import divided
from fairdistill.metrics.counts import as_array, checked_indices

_SUM_TOLERANCE = 1e-2
"""A thousand probabilities rounded to bfloat16 still sum to 1 within this tolerance; logits hardly ever do."""


@dataclass(frozen=True, eq=False)
class Bins:
    """The counts that calibration needs. The bins of parts of a data set add up to the bins of the whole.

    Bin m of M holds the samples whose confidence is in (m / M, (m + 1) / M].

    Attributes:
        rows: int64 ``[G, M]``: samples of each group and bin.
        correct: int64 ``[G, M]``: how many of them are classified correctly.
        confidence: float64 ``[G, M]``: sum of their confidences, each a fraction.
    """

    rows: NDArray[np.int64]
    correct: NDArray[np.int64]
    confidence: NDArray[np.float64]

    def __add__(self, other: Bins) -> Bins:
        """Return the bins of both parts together.

        Raises:
            ValueError: if the parts have different numbers of groups or bins.
        """
        if not isinstance(other, Bins):
            return NotImplemented
        if self.rows.shape != other.rows.shape:
            raise ValueError(
                f"Expected parts with the same [groups, bins], but got {self.rows.shape} and {other.rows.shape}"
            )
        return Bins(self.rows + other.rows, self.correct + other.correct, self.confidence + other.confidence)


def calibration_bins(y_true: Any, probabilities: Any, groups: Any, *, num_groups: int, bins: int = 15) -> Bins:
    """Count the samples and the correct ones and add up the confidences of each (group, confidence bin).

    Confidences are compared with the bounds of the bins as float32: 0.2 and its float32 copy, which is a little
    larger, are both in the bin that ends at 3/15. Ties go to the first class.

    Args:
        y_true: integer ``[N]`` classes in ``[0, C)``; an array, a list, or a tensor on any device.
        probabilities: floating point ``[N, C]``, of the same kind; each row is at least 0 and sums to 1.
        groups: integer ``[N]`` groups in ``[0, num_groups)``; samples of unknown group, -1, are left out.
        num_groups: number of groups G.
        bins: number M of bins of equal width over (0, 1]; 15 as in Guo et al., table 1.

    Raises:
        ValueError: if the lengths differ, or a value is out of range; the row is named.

    Example:
        >>> parts = calibration_bins([0, 1], [[0.9, 0.1], [0.7, 0.3]], [0, 1], num_groups=2, bins=2)
        >>> parts.rows.tolist(), parts.correct.tolist(), parts.confidence.tolist()
        ([[0, 1], [0, 1]], [[0, 1], [0, 0]], [[0.0, 0.9], [0.0, 0.7]])
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ValueError(f"Expected argument `bins` to be a positive integer, but got {bins!r}")
    share = probability_rows(probabilities)
    true = checked_indices(y_true, "y_true", low=0, high=share.shape[1])
    group = checked_indices(groups, "groups", low=-1, high=num_groups)
    if not len(true) == len(share) == len(group):
        raise ValueError(
            "Expected arguments `y_true`, `probabilities` and `groups` to have the same length, "
            f"but got {len(true)}, {len(share)} and {len(group)}"
        )
    known = group >= 0
    confidence, right = most_probable(share[known], true[known])
    cell = group[known] * bins + bin_of(confidence, bins)

    def per_cell(weights: NDArray[Any] | None = None) -> NDArray[Any]:
        return np.bincount(cell, weights, minlength=num_groups * bins).reshape(num_groups, bins)

    return Bins(
        rows=per_cell().astype(np.int64),
        correct=per_cell(right).astype(np.int64),
        confidence=per_cell(confidence).astype(np.float64),
    )


def expected_calibration_error(bins: Bins) -> NDArray[np.float64]:
    """Return the expected calibration error of each group as float64 ``[G]``; NaN for a group without samples.

    ECE(g) = sum_m |B_gm| / n_g * |acc(B_gm) - conf(B_gm)| = sum_m |correct_gm - confidence_gm| / n_g
    (Guo et al. 2017, equation 3), of the largest probability, a fraction in [0, 1]. With few samples per bin,
    chance alone raises it.

    Example:
        >>> both_right = calibration_bins([0, 0, 1], [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], [0, 0, 1], num_groups=2)
        >>> expected_calibration_error(both_right).tolist()
        [0.375, 0.25]
    """
    rows = bins.rows.sum(axis=1)
    gaps = np.abs(bins.correct - bins.confidence).sum(axis=1)
    return divided(gaps, rows)


def overall_calibration_error(bins: Bins) -> float:
    """Return the expected calibration error over the samples of all known groups; NaN without samples.

    The groups are pooled bin by bin before the gaps are taken, so one group's underconfidence can hide another's
    overconfidence: it is at most the sample-weighted mean of :func:`expected_calibration_error`.

    Example:
        >>> opposed = Bins(np.array([[2], [2]]), np.array([[2], [1]]), np.array([[1.5], [1.5]]))
        >>> expected_calibration_error(opposed).tolist(), overall_calibration_error(opposed)
        ([0.25, 0.25], 0.0)
    """
    pooled = Bins(*(part.sum(axis=0, keepdims=True) for part in (bins.rows, bins.correct, bins.confidence)))
    return float(expected_calibration_error(pooled)[0])


def most_probable(share: NDArray[Any], true: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the largest probability of each row of ``[N, C]`` and whether its class, the first of equals, is right.

    Example:
        >>> confidence, right = most_probable(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([0, 1]))
        >>> confidence.tolist(), right.tolist()
        ([0.75, 0.5], [True, False])
    """
    predicted = share.argmax(axis=1)
    return np.take_along_axis(share, predicted[:, None], axis=1)[:, 0], np.asarray(predicted == true)


def bin_of(confidence: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Return the bin of each confidence; compared as float32, see :func:`calibration_bins`.

    Example:
        >>> bin_of(np.array([0.2, 0.21, 1.0]), 5).tolist()
        [0, 1, 4]
    """
    bounds = (np.arange(1, bins) / bins).astype(np.float32)
    return np.searchsorted(bounds, confidence.astype(np.float32), side="left")


def probability_rows(probabilities: Any) -> NDArray[Any]:
    """Return class probabilities as a float32 or float64 array ``[N, C]``, from an array, a list or a tensor.

    Raises:
        ValueError: if the shape is wrong, or a row is negative somewhere or does not sum to 1.

    Example:
        >>> probability_rows([[0.25, 0.75]]).tolist()
        [[0.25, 0.75]]
    """
    values = float_array(probabilities, "probabilities")
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(f"Expected argument `probabilities` to be [N, C], but got shape {values.shape}")
    with np.errstate(invalid="ignore", over="ignore"):  # values that are not finite are refused below
        total = values @ np.ones(values.shape[1], dtype=values.dtype)
    wrong = ~(np.abs(total - 1) <= _SUM_TOLERANCE)
    if values.size and not values.min() >= 0:
        wrong |= values.min(axis=1) < 0
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"Expected argument `probabilities` to hold rows of values of at least 0 that sum to 1, but row {row} sums "
            f"to {total[row]:g} and its smallest value is {values[row].min():g}; give the softmax of the logits"
        )
    return values


def float_array(values: Any, name: str) -> NDArray[Any]:
    """Return numbers as a float32 or float64 array, from an array, a list or a tensor.

    Raises:
        ValueError: if they are not real numbers.

    Example:
        >>> float_array([1, 2], "scores").tolist()
        [1.0, 2.0]
    """
    array = as_array(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"Expected argument `{name}` to be floating point, but got {array.dtype}")
    return array.astype(np.float32 if array.dtype in (np.float16, np.float32) else np.float64, copy=False)
