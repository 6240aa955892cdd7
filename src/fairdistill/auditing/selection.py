"""How often each category of people is selected: by each group attribute, and by their combinations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.scored import positive_class
from fairdistill.contract import Result
from fairdistill.metrics import Estimate
from fairdistill.metrics.arrays import divided
from fairdistill.metrics.estimate import UNDEFINED
from fairdistill.metrics.intervals import Limits, wilson_limits
from fairdistill.metrics.mover import difference, ratio
from fairdistill.metrics.test_set.worth import worth_of
from fairdistill.predictions import Predictions
from fairdistill.predictions.group_attributes import GroupAttribute, group_attributes

SMALL = 0.02
"""Share of the samples below which a category is marked as small, and is not the one that others are compared with."""

Measure = Literal["selection rate", "scoring rate"]


@dataclass(frozen=True, kw_only=True)
class CategoryRow(Result):
    """One category.

    Attributes:
        category: its name.
        rows: its samples.
        selected: those of them that are selected, or score above the median.
        share: of all samples whose category is known.
        small: whether that is less than 2%.
        rate: selected by rows.
        impact_ratio: the rate by that of the reference.
        difference: the rate minus that of the reference.
        p_value: Fisher's exact test of the two rates, two-sided; NaN for the reference. Samples of one source count as
            fewer.
    """

    category: str
    rows: int
    selected: int
    share: float
    small: bool
    rate: Estimate
    impact_ratio: Estimate
    difference: Estimate
    p_value: float


@dataclass(frozen=True, kw_only=True)
class CategoryTable(Result):
    """The categories of one attribute, or the combinations of several.

    Attributes:
        attributes: the names of the attributes.
        measure: ``selection rate``: predicted as the positive class; ``scoring rate``: a probability of it above the
            median of all samples.
        rows: samples whose category is known.
        unknown: samples whose category is unknown.
        reference: the category with the highest rate of those that are not small; of equal ones, the largest. None
            if nobody in them is selected.
        highest: the category with the highest rate of all; None if nobody is selected.
        categories: one entry each.
    """

    attributes: tuple[str, ...]
    measure: Measure
    rows: int
    unknown: int
    reference: str | None
    highest: str | None
    categories: tuple[CategoryRow, ...]


def selection_of(predictions: Predictions, options: AuditOptions) -> tuple[CategoryTable, ...] | None:
    """Return the tables of selection rates and, if there are probabilities, of scoring rates.

    None without a positive class.
    """
    positive = positive_class(predictions, options)
    if positive is None:
        return None
    measures: list[tuple[Measure, NDArray[np.bool_]]] = [("selection rate", predictions.predicted == positive)]
    if predictions.probabilities is not None:
        score = predictions.probabilities[:, positive]
        measures.append(("scoring rate", score > np.median(score)))
    return tuple(
        _table(attributes, measure, selected, predictions.sources, options.confidence)
        for measure, selected in measures
        for attributes in _sets(predictions)
    )


def _sets(predictions: Predictions) -> Iterator[tuple[GroupAttribute, ...]]:
    """Yield each attribute and, if there are several, their combination, which is given as one."""
    single = group_attributes(predictions.attributes, predictions.groups, predictions.group_names)
    yield from ((attribute,) for attribute in single)
    if len(single) > 1:
        together = GroupAttribute(" and ".join(one.name for one in single), predictions.groups, predictions.group_names)
        yield (together, *single)


def _table(
    attributes: tuple[GroupAttribute, ...],
    measure: Measure,
    selected: NDArray[np.bool_],
    sources: NDArray[np.int64],
    confidence: float,
) -> CategoryTable:
    own, named = attributes[0], attributes[1:] or attributes
    known = own.codes >= 0
    of, chosen = own.codes[known], selected[known]
    number = len(own.names)
    rows = np.bincount(of, minlength=number)
    hits = np.bincount(of[chosen], minlength=number)
    rates = divided(hits, rows)
    worth = worth_of(chosen.astype(np.float64), of, sources[known], number, confidence=confidence)
    limits = wilson_limits(rates, worth, confidence=confidence)
    share = rows / max(1, rows.sum())
    reference, highest = _most(rates, rows, share >= SMALL), _most(rates, rows, rows > 0)
    ends = None if reference is None else limits.only(reference)
    ratios, apart = (None, None) if ends is None else (ratio(limits, ends), difference(limits, ends))
    scaled = np.rint(np.stack([rates * worth, worth]))
    return CategoryTable(
        attributes=tuple(attribute.name for attribute in named),
        measure=measure,
        rows=int(known.sum()),
        unknown=int((~known).sum()),
        reference=None if reference is None else own.names[reference],
        highest=None if highest is None else own.names[highest],
        categories=tuple(
            CategoryRow(
                category=name,
                rows=int(rows[at]),
                selected=int(hits[at]),
                share=float(share[at]),
                small=bool(share[at] < SMALL),
                rate=limits.at(at),
                impact_ratio=_estimate(ratios, at, 1.0 if at == reference else None),
                difference=_estimate(apart, at, 0.0 if at == reference else None),
                p_value=math.nan if reference in (None, at) else _fisher(scaled[:, at], scaled[:, reference]),
            )
            for at, name in enumerate(own.names)
        ),
    )


def _most(rates: NDArray[np.float64], rows: NDArray[np.int64], among: NDArray[np.bool_]) -> int | None:
    """Return the category with the highest rate; None if nobody is selected."""
    counted = [at for at in np.flatnonzero(among).tolist() if rates[at] > 0]
    return max(counted, key=lambda at: (rates[at], rows[at])) if counted else None


def _estimate(limits: Limits | None, at: int, fixed: float | None) -> Estimate:
    if fixed is not None:
        return Estimate(fixed, fixed, fixed)
    return UNDEFINED if limits is None else limits.at(at)


def _fisher(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the p-value of two counts, each of so many; NaN if there are none."""
    if not min(one[1], other[1]) > 0:
        return math.nan
    from scipy.stats import fisher_exact  # slow to import, and only documents for auditors need it

    table = [[int(hits), int(rows - hits)] for hits, rows in (one, other)]
    return float(fisher_exact(table).pvalue)
