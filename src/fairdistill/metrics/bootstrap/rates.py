"""What drawn test sets add to the selection rates, and the true- and false-positive rates, of each group.

Nothing of the size of groups times classes squared is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.bootstrap.drawn import FEW_TYPES, LEAST, affordable
from fairdistill.metrics.bootstrap.gathering import outcomes_of
from fairdistill.metrics.bootstrap.normal import SourceSums
from fairdistill.metrics.rates import RateCounts
from fairdistill.metrics.test_set.distinct import distinct
from fairdistill.metrics.test_set.rows import Rows, placed
from fairdistill.metrics.test_set.samples import Drawing

_NUMBERS = 2**24  # to hold
_FEW_PAIRS = 2_000_000  # of a true and a predicted class in a group


@dataclass(frozen=True, eq=False)
class RatedRows:
    """Rows of known group.

    Attributes:
        groups: int64 ``[N]``.
        labels: int64 ``[N]``.
        predicted: int64 ``[N]``.
        sources: int64 ``[N]``.
        shape: G, C.
    """

    groups: Ints
    labels: Ints
    predicted: Ints
    sources: Ints
    shape: tuple[int, int]

    @cached_property
    def rate_counts(self) -> RateCounts:
        """The counts of these rows."""
        groups, classes = self.shape
        right = self.labels == self.predicted
        return RateCounts(
            *(
                np.bincount(self.groups[own] * classes + of[own], minlength=groups * classes).reshape(self.shape)
                for own, of in ((slice(None), self.predicted), (right, self.labels), (slice(None), self.labels))
            )
        )

    @cached_property
    def outcomes(self) -> Rows:
        """The same rows; a cell is a group and a true class, the outcome the predicted class."""
        groups, classes = self.shape
        return Rows(
            cell=self.groups * classes + self.labels,
            code=self.predicted,
            values=np.eye(classes, classes if groups * classes**2 <= _FEW_PAIRS else 0),
            sources=self.sources,
            num_cells=groups * classes,
        )


_Drawn = tuple[RateCounts, Iterator[RateCounts], int]
"""Counts, draws of how they change, and how many there are at most."""


def drawn_rates(rows: RatedRows, drawing: Drawing) -> tuple[Floats, Floats]:
    """Return what drawn test sets add to the selection rates and to the TPR and FPR, ``[B, G, C]`` and ``[B, G, 2C]``.

    To first order: a rate p of ``part`` out of ``whole`` rows changes by ``(change of part - p * change of whole) /
    whole``. In a balanced design the rows of each cell are fixed: what a change in their number explains is left out.

    Args:
        rows: the test set.
        drawing: how test sets are drawn; fewer than requested if that takes long, but at least 200.
    """
    few = len(distinct(rows.outcomes.content)) <= FEW_TYPES and rows.shape[0] * rows.shape[1] ** 2 <= _FEW_PAIRS
    expected, drawn, draws = (_by_types if few else _by_sums)(rows, drawing)
    given = _given_rows(rows) if drawing.design == "balanced" and not rows.outcomes.independent else None
    groups, classes = rows.shape
    selection, tpr_fpr = np.empty((draws, groups, classes)), np.empty((draws, groups, 2 * classes))
    start = 0
    for each in drawn:
        change = each
        if given is not None:
            more = each.actual.reshape(len(each.actual), -1)
            true_positive = each.true_positive - divided(expected.true_positive, expected.actual) * each.actual
            predicted = each.predicted - (more @ given).reshape(each.predicted.shape)
            change = RateCounts(predicted, true_positive, 0 * each.actual)
        own = slice(start, start + len(each.actual))
        selection[own], tpr_fpr[own] = _change_of_selection(expected, change), _change_of_tpr_fpr(expected, change)
        start = own.stop
    return selection[:start], tpr_fpr[:start]  # there may be fewer


def _change_of_selection(of: RateCounts, change: RateCounts) -> Floats:
    return divided(change.predicted - of.selection * change.of_group, of.of_group)


def _change_of_tpr_fpr(of: RateCounts, change: RateCounts) -> Floats:
    tpr, fpr = np.split(of.tpr_fpr, 2, axis=-1)
    others, of_others = of.of_group - of.actual, change.of_group - change.actual
    found = (
        divided(change.true_positive - tpr * change.actual, of.actual),
        divided(change.predicted - change.true_positive - fpr * of_others, others),
    )
    return np.concatenate(found, axis=-1)


def _by_types(rows: RatedRows, drawing: Drawing) -> _Drawn:
    """Return the expected counts, and draws of how they change by the type of source."""
    groups, classes = rows.shape
    found = outcomes_of(rows.outcomes, pool=np.repeat(np.arange(groups), classes))
    table = found.table.tocoo()
    pair = table.coords[1]
    group, label, predicted = pair // classes**2, pair // classes % classes, pair % classes
    right = label == predicted
    size = (len(found.weight), groups * classes)
    tables = [
        coo_array((table.data[own], (table.coords[0][own], (group * classes + of)[own])), shape=size).tocsr()
        for own, of in ((slice(None), predicted), (right, label), (slice(None), label))
    ]
    expected = [found.expected @ each for each in tables]
    draws = affordable(drawing.draws, len(found.weight))

    def changes() -> Iterator[RateCounts]:
        for _, sized in found.types_drawn(draws, drawing.seed, drawing.design):
            yield _shaped([sized @ each - of for each, of in zip(tables, expected, strict=True)], rows.shape)

    return _shaped(expected, rows.shape), changes(), draws


def _by_sums(rows: RatedRows, drawing: Drawing) -> _Drawn:
    """Return the counts, and normal draws of how they change."""
    groups, classes = rows.shape
    of, cells = rows.outcomes, groups * classes
    draws = min(drawing.draws, max(LEAST, _NUMBERS // (3 * cells)))
    right = rows.labels == rows.predicted
    size = (of.num_sources, cells)
    added = [
        placed(of.owner, rows.groups * classes + rows.predicted, np.ones(len(of.cell)), size),
        placed(of.owner, of.cell, right.astype(np.float64), size),
        placed(of.owner, of.cell, np.ones(len(of.cell)), size),
    ]
    group = np.repeat(np.arange(groups), classes)
    # Independent rows of a balanced design are drawn in each cell; then the number of its rows does not change.
    fixed = drawing.design == "balanced" and of.independent
    pool, pools = (of.pools(np.arange(cells)), cells) if fixed else (of.pools(group), groups + 1)
    sums = SourceSums(csr_array(hstack(added, format="csr")), pool, of.content, pools)
    found = rows.rate_counts
    extra = [
        _added(found.true_positive, found.actual),
        _added(found.predicted - found.true_positive, found.of_group - found.actual),
    ]

    def changes() -> Iterator[RateCounts]:
        generator = np.random.default_rng(drawing.seed)
        for drawn in sums.deviations(draws, generator):
            change = _shaped(np.split(drawn, 3, axis=1), rows.shape)
            more = [each * generator.standard_normal(change.actual.shape) for each in extra]
            yield RateCounts(change.predicted + more[0] + more[1], change.true_positive + more[0], change.actual)

    return found, changes(), draws


def _added(part: Floats | Ints, whole: Floats | Ints) -> Floats:
    """Return the noise of one more row, half of it counted, so that a rate of 0 is not taken to be certain."""
    return np.asarray(np.sqrt(2) * np.abs(np.nan_to_num(divided(part, whole)) - 0.5))


def _given_rows(rows: RatedRows) -> csr_array:
    """Return how often a row of each true class is predicted as each class of its group, sparse ``[G C, G C]``."""
    groups, classes = rows.shape
    cell, chosen = rows.outcomes.cell, rows.groups * classes + rows.predicted
    of = np.bincount(cell, minlength=groups * classes)
    return coo_array((1 / of[cell], (cell, chosen)), shape=(groups * classes,) * 2).tocsr()


def _shaped(parts: list[Floats], shape: tuple[int, int]) -> RateCounts:
    return RateCounts(*(part.reshape(*part.shape[:-1], *shape) for part in parts))
