"""Demographic parity and equalized odds for many classes, one against the rest.

Each class in turn is the positive outcome. A difference is the largest minus the smallest value over the groups, and
the whole is the largest difference over the classes; for two classes these are fairlearn's
``demographic_parity_difference`` and ``equalized_odds_difference``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.counts import Counts
from fairdistill.metrics.intervals import Floats, spread
from fairdistill.metrics.ranks import ranked
from fairdistill.metrics.rates import RatedRows, drawn_rates, features_of
from fairdistill.metrics.resampling import Gap, gap_of
from fairdistill.metrics.samples import DEFAULT_DRAWING, Drawing, Samples


def selection_rates(counts: Counts) -> Floats:
    """Return P(pred = c | group = g), float64 ``[G, C]``; NaN for a group without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    return features_of(counts).selection


def odds(counts: Counts) -> Floats:
    """Return the true- and false-positive rates of each class against the rest, float64 ``[G, 2C]``.

    The first C columns are P(pred = c | true = c, g), the last C are P(pred = c | true != c, g); NaN without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    return features_of(counts).odds


def demographic_parity_difference(counts: Counts) -> float:
    """Return the largest difference over the classes of P(pred = c | g) between two groups; NaN if one is empty.

    Example:
        >>> demographic_parity_difference(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.375
    """
    return float(spread(selection_rates(counts)).max())


def equalised_odds_difference(counts: Counts) -> float:
    """Return the largest difference between two groups of a true- or false-positive rate; NaN if one is undefined.

    Hardt et al., *Equality of Opportunity in Supervised Learning* (NeurIPS 2016), definition 2.1.

    Example:
        >>> equalised_odds_difference(np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]]))
        0.5
    """
    return float(spread(odds(counts)).max())


def parity_gaps(predicted: NDArray[np.int64], samples: Samples, drawing: Drawing = DEFAULT_DRAWING) -> tuple[Gap, Gap]:
    """Return the differences of demographic parity and of equalized odds with their intervals and floors.

    Args:
        predicted: int64 ``[N]`` predicted classes.
        samples: the test set; samples of unknown group do not count.
        drawing: how test sets are drawn; fewer than requested if that takes long, but at least 200.
    """
    known = samples.groups >= 0
    if not known.any():
        undefined = Gap(*[float("nan")] * 8)
        return undefined, undefined
    shape = (samples.num_groups, samples.num_classes)
    groups, labels, chosen, sources = (
        each[known] for each in (samples.groups, samples.labels, predicted, samples.sources)
    )
    ranks = ranked(groups=groups, classes=(labels, chosen), codes=np.zeros_like(groups), sources=sources, shape=shape)
    rows = RatedRows(ranks.groups[groups], ranks.classes[labels], ranks.classes[chosen], sources, shape)
    observed = rows.features
    noise = drawn_rates(rows, drawing)
    found = [
        gap_of(rates[None], drawn[:, None], "max", drawing.confidence, resolution=1 / int(observed.of_group.max()))
        for rates, drawn in zip((observed.selection, observed.odds), noise, strict=True)
    ]
    return found[0], found[1]
