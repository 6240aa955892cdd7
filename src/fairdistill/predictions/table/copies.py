"""Whether a table holds every sample several times, as one does that was joined with itself."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_FEWEST = 50  # different rows; fewer may all occur several times by chance
_PROBED = 8  # rows that are counted first: where one occurs once, as in most tables, nothing has to be sorted


def copies_note(
    labels: NDArray[np.int64], groups: NDArray[np.int64], probabilities: NDArray[np.float64], sources: NDArray[np.int64]
) -> list[str]:
    """Return a note if all different rows occur k times, or a multiple of k, for some k above 1, and count as such.

    Args:
        labels: int64 ``[N]``.
        groups: int64 ``[N]``.
        probabilities: float64 ``[N, C]``.
        sources: int64 ``[N]``; rows that share one are known to be copies.

    Example:
        >>> share = np.linspace(0, 1, 60)
        >>> once = [np.zeros(60, np.int64), np.zeros(60, np.int64), np.stack([1 - share, share], axis=1)]
        >>> twice = [np.concatenate([each, each]) for each in once]
        >>> copies_note(*once, np.arange(60)), copies_note(*twice, np.arange(120))[0][:55]
        ([], 'All rows occur 2 times with the same label, group and p')
    """
    weights = np.sqrt(2.0 + np.arange(probabilities.shape[1]))  # so that different rows differ in the sum
    content = (probabilities * weights).sum(axis=1), labels, groups
    probed = [
        np.count_nonzero(np.all([each == each[row] for each in content], axis=0))
        for row in range(len(labels))[:_PROBED]
    ]
    if math.gcd(*probed) < 2 or len(np.unique(sources)) < len(sources):
        return []
    _, at = np.unique(content[0], return_inverse=True)
    _, cell = np.unique(np.stack([labels, groups], axis=1), axis=0, return_inverse=True)
    _, times = np.unique(at.reshape(-1) * (int(cell.max(initial=0)) + 1) + cell.reshape(-1), return_counts=True)
    every = int(np.gcd.reduce(times))
    if len(times) < _FEWEST or every < 2:
        return []
    return [
        f"All rows occur {every:,} times with the same label, group and probabilities, and count as independent "
        "samples; if they are copies, remove them, or name what they share with --source"
    ]
