"""Demographic parity and equalized odds for many classes, one against the rest.

Each class in turn is the positive outcome. A difference is the largest minus the smallest value over the groups, and
the whole is the largest difference over the classes; for two classes these are fairlearn's
``demographic_parity_difference`` and ``equalized_odds_difference``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.counts import Counts, group_counts
from fairdistill.metrics.intervals import Floats, spread
from fairdistill.metrics.outcomes import Rows, outcomes_of
from fairdistill.metrics.resampling import Gap, gap_of
from fairdistill.metrics.samples import DEFAULT_DRAWING, Drawing, Samples

_MEMORY = 2**28
_FEWEST = 200
_WORK = 3e8


def selection_rates(counts: Counts) -> Floats:
    """Return P(pred = c | group = g), float64 ``[G, C]``; NaN for a group without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    return _selection(_features(counts, counts.sum(axis=2)))


def odds(counts: Counts) -> Floats:
    """Return the true- and false-positive rates of each class against the rest, float64 ``[G, 2C]``.

    The first C columns are P(pred = c | true = c, g), the last C are P(pred = c | true != c, g); NaN without samples.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
    """
    return _odds(_features(counts, counts.sum(axis=2)))


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
    observed = _features(counts, rows)
    expected = _features(_sums(found.share.reshape(shape), rows), rows)
    drawn = [
        _features(each.sums.reshape(-1, *shape), each.rows.reshape(-1, *shape[:2]))
        for each in found.test_sets(draws, drawing.seed, drawing.design)
    ]
    gaps = []
    for rates in (_selection, _odds):
        noise = np.concatenate([rates(each) for each in drawn]) - rates(expected)
        noise[np.isnan(noise) & ~np.isnan(rates(expected))] = 0.0  # a drawn test set may lack a subgroup
        gaps.append(
            gap_of(
                rates(observed)[None],
                noise[:, None],
                "max",
                drawing.confidence,
                resolution=1 / int(rows.sum(axis=1).max()),
            )
        )
    return gaps[0], gaps[1]


@dataclass(frozen=True)
class _Features:
    """What selection rates and odds are made of, each ``[..., G, C]``.

    Attributes:
        chosen: rows predicted as a class.
        right: those of them that belong to it.
        rows: rows that belong to it.
    """

    chosen: Floats
    right: Floats
    rows: Floats | NDArray[np.int64]


def _features(counts: Counts | Floats, rows: Floats | NDArray[np.int64]) -> _Features:
    """Return the features of counts ``[..., G, C, C]`` (group, true, predicted)."""
    return _Features(counts.sum(axis=-2), np.einsum("...gcc->...gc", counts), rows)


def _selection(found: _Features) -> Floats:
    """Return P(pred = c | g), ``[..., G, C]``; NaN for a group without rows."""
    total = found.rows.sum(axis=-1, keepdims=True)
    return np.asarray(found.chosen / np.where(total > 0, total, np.nan))


def _odds(found: _Features) -> Floats:
    """Return P(pred = c | true = c, g) and P(pred = c | true != c, g), ``[..., G, 2C]``; NaN without such rows."""
    others = found.rows.sum(axis=-1, keepdims=True) - found.rows
    rates = [
        counted / np.where(of > 1e-9, of, np.nan)
        for counted, of in ((found.right, found.rows), (found.chosen - found.right, others))
    ]
    return np.concatenate(rates, axis=-1)


def _sums(shares: Floats, rows: NDArray[np.int64]) -> Floats:
    return np.asarray(np.nan_to_num(shares) * rows[..., None])
