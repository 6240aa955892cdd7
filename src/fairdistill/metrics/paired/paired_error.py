"""The standard error of the difference between two models' accuracies on the same samples."""

from __future__ import annotations

import math

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.test_set.distinct import numbered, sources_per_cell


def paired_error(first: Flags, second: Flags, *, sources: Ints, parts: Ints) -> float:
    """Return the standard error of the difference between two models in the mean over parts of the accuracy of each.

    With a single part this is the accuracy, with the subgroups as parts the balanced accuracy. A sample adds to the
    difference what the second model gets right there minus what the first does, d, less the mean of d in its part, over
    P parts times the n samples of its part. The sums s of the S sources that have samples in the parts vary
    independently, so the variance is ``sum(s^2)`` over all sources, of which part p counts ``S_p / (S_p - 1)`` times,
    because its mean was estimated from its own S_p sources (Liang and Zeger, *Longitudinal data analysis using
    generalized linear models*, 1986, with the correction of small samples). For a part of a single source, the mean of
    all samples stands for its own.

    Args:
        first: bool ``[N]``: which samples the first model gets right.
        second: bool ``[N]``: the same for the second model.
        sources: int64 ``[N]``: samples with the same number vary together.
        parts: int64 ``[N]``: the part of each sample, from 0; -1 for samples that do not count.

    Returns:
        The standard error, a fraction; NaN without samples.

    Example:
        >>> ones, half = np.ones(100, bool), np.arange(100) < 50
        >>> rows, one_part = np.arange(100), np.zeros(100, int)
        >>> round(paired_error(half, ones, sources=rows, parts=one_part), 4)  # sqrt(0.25 / 99)
        0.0503
    """
    used = parts >= 0
    if not used.any():
        return math.nan
    part, owner = numbered(parts[used]), numbered(sources[used])
    apart = second[used].astype(np.float64) - first[used]
    rows = np.bincount(part)
    own = sources_per_cell(part, owner, len(rows))
    centre = np.where(own > 1, np.bincount(part, apart) / rows, apart.mean())
    correction = np.where(own > 1, np.sqrt(own / np.maximum(own - 1, 1)), 1.0)
    added: Floats = (apart - centre[part]) * (correction / rows)[part] / len(rows)
    return float(np.sqrt((np.bincount(owner, added) ** 2).sum()))
