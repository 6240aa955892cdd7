"""Demographic parity and equalized odds for many classes, one against the rest.

Each class in turn is the positive outcome. A difference is the largest minus the smallest value over the groups, and
the whole is the largest difference over the classes; for two classes these are fairlearn's
``demographic_parity_difference`` and ``equalized_odds_difference``.
"""

from __future__ import annotations

import numpy as np

from fairdistill.metrics.arrays import Floats, spread
from fairdistill.metrics.counts import Counts, checked_counts
from fairdistill.metrics.rates import rate_counts


def selection_rates(counts: Counts) -> Floats:
    """Return P(pred = c | group = g), float64 ``[G, C]``; NaN for a group without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted), see :func:`group_counts`.

    Example:
        >>> selection_rates(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])).tolist()
        [[0.375, 0.625], [0.75, 0.25]]
    """
    return rate_counts(checked_counts(counts)).selection


def tpr_fpr(counts: Counts) -> Floats:
    """Return the true- and false-positive rates of each class against the rest, float64 ``[G, 2C]``.

    The first C columns are P(pred = c | true = c, g), the last C are P(pred = c | true != c, g); NaN without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted), see :func:`group_counts`.

    Example:
        >>> tpr_fpr(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])).tolist()
        [[0.75, 1.0, 0.0, 0.25], [1.0, 0.5, 0.5, 0.0]]
    """
    return rate_counts(checked_counts(counts)).tpr_fpr


def demographic_parity_difference(counts: Counts) -> float:
    """Return the largest difference over the classes of P(pred = c | g) between two groups; NaN if one is empty.

    Example:
        >>> demographic_parity_difference(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.375
    """
    return float(spread(selection_rates(counts)).max())


def impact_ratio(counts: Counts) -> float:
    """Return the smallest ratio over the classes of the lowest to the highest P(pred = c | g); NaN if a group is empty.

    The four-fifths rule of US employment law (29 CFR 1607.4 D) asks for at least 0.8. Classes that are never predicted
    have no ratio and are left out. For two classes this is the smaller of fairlearn's ``demographic_parity_ratio`` of
    either class as the positive one.

    Example:
        >>> impact_ratio(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.4
    """
    rates = selection_rates(counts)
    if not rates.size or np.isnan(rates).any():
        return float("nan")
    lowest, highest = rates.min(axis=0), rates.max(axis=0)
    return float((lowest[highest > 0] / highest[highest > 0]).min())


def equalised_odds_difference(counts: Counts) -> float:
    """Return the largest difference between two groups of a true- or false-positive rate; NaN if one is undefined.

    Hardt et al., *Equality of Opportunity in Supervised Learning* (NeurIPS 2016), definition 2.1.

    Example:
        >>> equalised_odds_difference(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.5
    """
    return float(spread(tpr_fpr(counts)).max())
