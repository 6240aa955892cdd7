"""Demographic parity and equalized odds for many classes, one against the rest.

Each class in turn is the positive outcome. A difference is the largest minus the smallest value over the groups, and
the whole is the largest difference over the classes; for two classes these are fairlearn's
``demographic_parity_difference`` and ``equalized_odds_difference``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.counts import Counts, group_counts
from fairdistill.metrics.gaps import Gap, gap_of
from fairdistill.metrics.intervals import Floats, spread
from fairdistill.metrics.outcomes import Rows, outcomes_of
from fairdistill.metrics.samples import DEFAULT_DRAWING, Drawing, Samples

_MEMORY = 2**28
_FEWEST = 200
_WORK = 3e8


def selection_rates(counts: Counts) -> Floats:
    """Return P(pred = c | group = g), float64 ``[G, C]``; NaN for a group without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    rows = counts.sum(axis=2)
    return _selection(_rates(counts, rows), rows)


def odds(counts: Counts) -> Floats:
    """Return the true- and false-positive rates of each class against the rest, float64 ``[G, 2C]``.

    The first C columns are P(pred = c | true = c, g), the last C are P(pred = c | true != c, g); NaN without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    rows = counts.sum(axis=2)
    return _odds(_rates(counts, rows), rows)


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
        drawing: how test sets are drawn; fewer than requested if C squared times G is large; none, so that intervals
            are NaN, if not even 200 fit into 256 MiB.
    """
    labels, groups, num_classes, num_groups = samples.labels, samples.groups, samples.num_classes, samples.num_groups
    known = groups >= 0
    group_of_cell = np.repeat(np.arange(num_groups), num_classes)
    known_rows = Rows(
        cell=groups[known] * num_classes + labels[known],
        code=predicted[known],
        values=np.eye(num_classes),
        sources=samples.sources[known],
        num_cells=len(group_of_cell),
    )
    found = outcomes_of(known_rows, pool=group_of_cell)
    size = num_groups * num_classes**2
    fitting = min(_MEMORY // (8 * size), int(_WORK / max(1, len(found.weight))))
    draws = min(drawing.draws, fitting)
    shape = (num_groups, num_classes, num_classes)
    rows = found.rows.reshape(shape[:2])
    counts = group_counts(labels, predicted, groups, num_classes=num_classes, num_groups=num_groups)
    if not known.any() or fitting < _FEWEST:  # no samples, or too many classes for intervals
        undefined = [float("nan")] * 7
        return Gap(demographic_parity_difference(counts), *undefined), Gap(
            equalised_odds_difference(counts), *undefined
        )
    observed, expected = _rates(counts, rows), found.share.reshape(shape)
    drawn = np.concatenate(list(found.drawn(draws, drawing.seed))).reshape(draws, *shape)
    gaps = [
        gap_of(
            rates(observed, rows)[None],
            (rates(drawn, rows) - rates(expected, rows))[:, None],
            "max",
            drawing.confidence,
            resolution=1 / int(rows.sum(axis=1).max()),
        )
        for rates in (_selection, _odds)
    ]
    return gaps[0], gaps[1]


def _rates(counts: Counts, rows: NDArray[np.int64]) -> Floats:
    """Return P(pred = p | true = t, g), ``[G, C, C]``; NaN for an empty subgroup."""
    return np.asarray(counts / np.where(rows > 0, rows, np.nan)[..., None])


def _selection(rates: Floats, rows: NDArray[np.int64]) -> Floats:
    total = rows.sum(axis=1)
    weight = rows / np.where(total > 0, total, np.nan)[:, None]
    return np.asarray(np.einsum("gt,...gtp->...gp", weight, np.nan_to_num(rates)))


def _odds(rates: Floats, rows: NDArray[np.int64]) -> Floats:
    right = np.einsum("...gcc->...gc", rates)
    others = rows.sum(axis=1, keepdims=True) - rows  # samples of the other classes
    counted = np.nan_to_num(rates) * rows[..., None]
    wrong = (counted.sum(axis=-2) - np.einsum("...gcc->...gc", counted)) / np.where(others > 0, others, np.nan)
    return np.concatenate([right, wrong], axis=-1)
