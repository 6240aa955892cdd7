"""The Brier score of each group with its interval.

The score of a sample is ``1/2 sum_c (p_c - y_c)^2`` in [0, 1], with y_c = 1 for its class: for two classes the square
of what the probability is off by (Brier, *Verification of Forecasts Expressed in Terms of Probability*, 1950;
scikit-learn's ``brier_score_loss`` with ``scale_by_half=True``). 0 is perfect; two classes at 50% each give 0.25.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.estimate import UNDEFINED, Estimate
from fairdistill.metrics.test_set.distinct import numbered, sources_per_cell
from fairdistill.metrics.test_set.samples import Samples


def brier_scores(probabilities: NDArray[np.floating], labels: Ints) -> Floats:
    """Return the score of each sample, float64 ``[N]``.

    Example:
        >>> brier_scores(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1])).round(2).tolist()
        [0.04, 0.64]
    """
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0].astype(np.float64)
    squares = np.einsum("nc,nc->n", probabilities, probabilities, dtype=np.float64)
    return np.asarray(np.clip((squares - 2 * own + 1) / 2, 0, 1))


def brier_limits(probabilities: NDArray[np.floating], samples: Samples, *, confidence: float = 0.95) -> list[Estimate]:
    """Return the mean score of each group and, last, of all samples, those of unknown group included.

    The interval is Student's t over the sources, with one more source that scores 1/2: samples that are all predicted
    perfectly do not make it certain that others would be. The variance is at least what the probabilities imply, since
    a few samples rarely show the rare large errors that they announce.

    Args:
        probabilities: floating point ``[N, C]``; each row sums to 1.
        samples: classes, groups and sources of the rows.
        confidence: of the intervals, two-sided.

    Example:
        >>> rows = np.arange(100)
        >>> samples = Samples(labels=rows % 2, groups=rows // 50, sources=rows, num_classes=2, num_groups=2)
        >>> found = brier_limits(np.full((100, 2), [0.9, 0.1]), samples)[-1]
        >>> round(found.value, 3), found.low < found.value < found.high
        (0.41, True)
    """
    scores = _Scores(brier_scores(probabilities, samples.labels), *_announced(probabilities), numbered(samples.sources))
    groups = samples.all_groups
    of_groups = _means(scores, groups, samples.num_groups + 1, confidence)[:-1]
    return [*of_groups, *_means(scores, np.zeros_like(groups), 1, confidence)]


class _Scores(NamedTuple):
    """The score of each sample, the mean and mean square that its probabilities announce, and its source, ``[N]``."""

    value: Floats
    expected: Floats
    squared: Floats
    owner: Ints


def _announced(probabilities: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return the mean of each sample's score and of its square, if its class is drawn from its probabilities."""
    share = probabilities.astype(np.float64)
    squares = np.einsum("nc,nc->n", share, share)
    cubes = np.einsum("nc,nc,nc->n", share, share, share)
    half = (squares + 1) / 2  # the score of class c is this minus p_c
    return half - squares, half**2 - 2 * half * squares + cubes


def _means(scores: _Scores, of: Ints, sets: int, confidence: float) -> list[Estimate]:
    value, owner = scores.value, scores.owner
    rows = np.bincount(of, minlength=sets)
    mean, expected, squared = (
        divided(np.bincount(of, each, sets), rows) for each in (value, scores.expected, scores.squared)
    )
    number = int(owner.max(initial=0)) + 1
    pair, at = np.unique(of * number + owner, return_inverse=True)
    sums = np.bincount(at, value - mean[of], len(pair))
    sources = sources_per_cell(of, owner, sets)
    largest = rows / np.maximum(sources, 1)  # of the samples of a source, on average
    variance = np.maximum(np.bincount(pair // number, sums**2, sets), rows * (squared - expected**2))
    variance += (largest * (0.5 - mean)) ** 2
    error = divided(np.sqrt(variance), rows) * stdtrit(np.maximum(sources - 1, 1), (1 + confidence) / 2)
    return [
        Estimate(value, max(0.0, value - half), min(1.0, value + half)) if value == value else UNDEFINED
        for value, half in zip(mean.tolist(), error.tolist(), strict=True)
    ]
