"""Classes that a model hardly ever predicts: their gap is near 0 whatever the model does with people."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrc

from fairdistill.metrics.arrays import Flags, Ints

HARDLY = 0.01
"""Predictions per sample of a class up to which it is hardly ever predicted."""
_UNLIKELY = 0.05


def hardly_predicted(chosen: Ints, rows: Ints) -> Flags:
    """Return which classes the model hardly ever predicts, bool ``[C]``.

    A class counts as such if, in every group and in all groups together, the number of its predictions is consistent
    with one per 100 samples of the class (one-sided binomial test at 5%).

    Args:
        chosen: int64 ``[G, C]``: samples of each group that are predicted as each class.
        rows: int64 ``[G, C]``: samples of each group and class.

    Example:
        >>> hardly_predicted(np.array([[999, 1], [1000, 0]]), np.array([[500, 500], [500, 500]])).tolist()
        [False, True]
    """
    predicted = np.concatenate([chosen, chosen.sum(axis=0, keepdims=True)])
    rows = np.concatenate([rows, rows.sum(axis=0, keepdims=True)])
    seldom = bdtrc(np.minimum(predicted, rows) - 1, rows, HARDLY) > _UNLIKELY  # P(as many or more)
    return np.asarray((seldom | (rows == 0)).all(axis=0) & (rows[-1] > 0))
