"""Classes that a model hardly ever predicts: their gap is near 0 whatever the model does with people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from fairdistill.metrics.counts import Counts

HARDLY = 0.01
"""Predictions per sample of a class up to which it is hardly ever predicted."""
_UNLIKELY = 0.05


def hardly_predicted(counts: Counts) -> NDArray[np.bool_]:
    """Return which classes the model hardly ever predicts, bool ``[C]``.

    A class counts as such if, in every group and in all groups together, the number of its predictions is consistent
    with one per 100 samples of the class (one-sided binomial test at 5%).

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).

    Example:
        >>> hardly_predicted(np.array([[[500, 0], [499, 1]], [[500, 0], [500, 0]]])).tolist()
        [False, True]
    """
    predicted, rows = counts.sum(axis=1), counts.sum(axis=2)
    predicted = np.concatenate([predicted, predicted.sum(axis=0, keepdims=True)])
    rows = np.concatenate([rows, rows.sum(axis=0, keepdims=True)])
    seldom = bdtrc(np.minimum(predicted, rows) - 1, rows, HARDLY) > _UNLIKELY  # P(as many or more)
    return np.asarray((seldom | (rows == 0)).all(axis=0) & (rows[-1] > 0))
