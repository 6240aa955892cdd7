"""The impact ratio of each group: how often it is selected, by how often the most selected group is.

A class is selected as often as it is predicted. The ratio is that of 29 CFR 1607.4 D, whose rule of thumb asks for
four fifths; see :func:`fairdistill.metrics.parity.impact_ratio` for the smallest one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.intervals import Limits, wilson_limits
from fairdistill.metrics.mover import ratio
from fairdistill.metrics.test_set.samples import Samples
from fairdistill.metrics.test_set.worth import worth_of


@dataclass(frozen=True, eq=False)
class ImpactRatios:
    """Arrays ``[G]`` of the groups; NaN for one without samples, or if no group is ever selected.

    Attributes:
        ratio: of each group, with its limits; 1 for the reference. They take the reference as given.
        label: int64: the class that it is of.
        reference: int64: the group that is selected most.
    """

    ratio: Limits
    label: Ints
    reference: Ints


def impact_ratios(
    predicted: Ints, samples: Samples, *, positive: int | None = None, confidence: float = 0.95
) -> ImpactRatios:
    """Return the impact ratio of each group.

    Args:
        predicted: int64 ``[N]`` predicted classes.
        samples: groups and sources; samples of unknown group do not count.
        positive: the class that means being selected; None: for each group the class with its smallest ratio.
        confidence: of the intervals, two-sided.

    Example:
        >>> rows = np.arange(200)
        >>> samples = Samples(labels=rows % 2, groups=rows // 100, sources=rows, num_classes=2, num_groups=2)
        >>> found = impact_ratios((rows % 100 < np.where(rows < 100, 80, 60)).astype(np.int64), samples, positive=1)
        >>> found.ratio.middle.round(2).tolist(), found.reference.tolist()
        ([1.0, 0.75], [0, 0])
    """
    groups, classes = samples.num_groups, samples.num_classes
    known = samples.groups >= 0
    of, chosen, sources = samples.groups[known], predicted[known], samples.sources[known]
    rows = np.bincount(of, minlength=groups)
    rates = divided(np.bincount(of * classes + chosen, minlength=groups * classes).reshape(-1, classes), rows[:, None])
    reference = _most(rates, rows)
    ratios = divided(rates, rates[reference, np.arange(classes)])
    label = np.full(groups, positive) if positive is not None else np.nan_to_num(ratios, nan=np.inf).argmin(axis=1)
    found = [np.full(groups, np.nan) for _ in range(3)]
    for each in np.unique(label).tolist():
        own = np.flatnonzero((label == each) & ~np.isnan(ratios[:, each]))
        worth = worth_of((chosen == each).astype(np.float64), of, sources, groups, confidence=confidence)
        limits = wilson_limits(rates[:, each], worth, confidence=confidence)
        at = int(reference[each])
        divided_by = ratio(limits, limits.only(at))
        for kept, end in zip(found, (divided_by.low, divided_by.middle, divided_by.high), strict=True):
            kept[own] = np.where(own == at, 1.0, end[own])
    return ImpactRatios(Limits(*found), label.astype(np.int64), reference[label])


def _most(rates: Floats, rows: Ints) -> Ints:
    """Return the group with the highest rate of each class; of equal ones, the largest."""
    by_size = np.argsort(-rows, kind="stable")
    return np.asarray(by_size[np.nan_to_num(rates, nan=-1.0)[by_size].argmax(axis=0)])
