"""Confidence limits of the smallest of several accuracies, for example that of the worst subgroup.

The smallest of many noisy fractions is too small on average, and a subgroup of few rows may be far from its true
accuracy, even if all its rows are right or all are wrong. The limits are therefore made of exact binomial ones
(Clopper and Pearson 1934):

* The smallest accuracy is at most that of any subgroup. The lowest upper limit of a subgroup is thus an upper limit,
  if each is corrected for the number of subgroups (Bonferroni). Subgroups that are clearly better do not count for the
  correction (Romano, Shaikh and Wolf, *A Practical Two-Step Method for Testing Moment Inequalities*, 2014).
* The smallest accuracy is that of one subgroup, and the limits of this one hold with the confidence wanted. The lowest
  of all lower limits is thus a lower limit without any correction. A subgroup of three rows, all right, may be the
  worst one: what is not known of it is part of the answer.

Rows that are not independent count as fewer, so many that the variance of drawn test sets is that of independent ones
(Korn and Graubard, *Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from
Survey Data*, Survey Methodology 1998). `benchmarks/coverage.py` measures how often the limits contain the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.intervals import Limits
from fairdistill.metrics.test_set.worth import for_few_sources

_SPENT = 0.1
"""Part of the error of the upper end for finding the subgroups that are clearly better (Romano et al., section 2.2)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sized:
    """The accuracies of K subgroups, and how many independent rows each is worth.

    Attributes:
        shares: float64 ``[M, K]``: accuracies of M models (the seeds of one recipe); NaN without rows.
        rows: float64 ``[M, K]``: the number of independent rows that are as precise.
    """

    shares: Floats
    rows: Floats


def effective_rows(centre: Floats, noise: Floats, rows: Ints, sources: Ints, *, confidence: float = 0.95) -> Floats:
    """Return how many independent rows are as precise as those of each subgroup: float64 ``[M, K]``, 1 to its rows.

    p (1 - p) / v for the variance v of drawn test sets with mean p, reduced by :func:`.for_few_sources`.

    Args:
        centre: float64 ``[M, K]``: mean of the drawn accuracies.
        noise: float64 ``[B, M, K]``: how far drawn accuracies are from it.
        rows: integer ``[K]``.
        sources: integer ``[K]``: sources with rows in each subgroup.
        confidence: of the interval that is wanted, two-sided.
    """
    variance = noise.var(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = np.where(variance > 0, centre * (1 - centre) / variance, rows)
    return for_few_sources(worth, rows, sources, confidence)


def smallest_limits(sized: Sized, *, confidence: float = 0.95, seed_error: float = 0.0) -> Limits:
    """Return the limits of the smallest accuracy; its middle is the observed one.

    Args:
        sized: accuracies and rows; with several models, the mean over the models of the smallest.
        confidence: of the interval, two-sided.
        seed_error: half of the interval that the choice of seeds alone gives that mean; both are combined as in
            Zou and Donner, *Construction of confidence limits about effect measures* (Statistics in Medicine 2008).

    Returns:
        Arrays ``[]``; NaN without subgroups, or if one of them has no rows.

    Example:
        >>> none_of_twenty = Sized(shares=np.array([[0.0, 0.9]]), rows=np.array([[20.0, 200.0]]))
        >>> found = smallest_limits(none_of_twenty)
        >>> float(found.low), round(float(found.high), 3)
        (0.0, 0.173)
    """
    value = sized.shares.min(axis=1, initial=np.nan if not sized.shares.size else np.inf).mean()
    if np.isnan(value):
        return Limits(*[np.array(np.nan)] * 3)
    tail = (1 - confidence) / 2
    low = binomial_limit(sized, tail).min(axis=1)
    known = binomial_limit(sized, _SPENT * tail / sized.shares.shape[1])
    high = np.min(_uppers(sized, tail, np.ones_like(known)), axis=1, keepdims=True)
    high = np.min(_uppers(sized, tail, known <= high), axis=1)
    return Limits(
        low=np.clip(value - np.hypot(value - low.mean(), seed_error), 0, 1),
        middle=np.asarray(value),
        high=np.clip(value + np.hypot(high.mean() - value, seed_error), 0, 1),
    )


def _uppers(sized: Sized, tail: float, counted: Flags) -> Floats:
    """Return upper limits corrected for the number of subgroups that are counted; 1 for the others."""
    each = (1 - _SPENT) * tail / counted.sum(axis=1, keepdims=True)
    return np.where(counted, binomial_limit(sized, each, upper=True), 1.0)


def binomial_limit(sized: Sized, tail: float | Floats, *, upper: bool = False) -> Floats:
    """Return Clopper and Pearson's lower or upper limit of each accuracy, float64 ``[M, K]``; 0 or 1 without rows.

    Args:
        sized: accuracies and rows; the rows need not be whole numbers.
        tail: probability that the truth lies beyond it.
        upper: whether the upper one is wanted.
    """
    right = np.nan_to_num(sized.shares) * sized.rows
    wrong = sized.rows - right
    if upper:
        return 1 - binomial_limit(Sized(shares=1 - sized.shares, rows=sized.rows), tail)
    given = np.stack(np.broadcast_arrays(right, wrong, tail), axis=-1).reshape(-1, 3)
    different, place = np.unique(given, axis=0, return_inverse=True)  # the inverse is slow, and many are the same
    found = betaincinv(np.maximum(different[:, 0], 1e-12), different[:, 1] + 1, different[:, 2])
    return np.where((right > 1e-9) & (sized.rows > 0), found[place.ravel()].reshape(right.shape), 0.0)
