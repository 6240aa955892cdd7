"""What drawn test sets add to the accuracies of subgroups, groups, classes and of all samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.bootstrap.gathering import outcomes_of
from fairdistill.metrics.bootstrap.normal import SourceSums
from fairdistill.metrics.test_set.distinct import distinct
from fairdistill.metrics.test_set.rows import Rows, placed
from fairdistill.metrics.test_set.samples import Drawing

FEW_TYPES = 2000
_WORK = 2e7  # draws times types, a few seconds
LEAST = 200  # draws, whatever they take


@dataclass(frozen=True)
class DrawnAccuracies:
    """Differences between the accuracies in B drawn test sets and their expectation, of M models.

    Attributes:
        cells: float64 ``[B, M, G, C]``: of each subgroup; NaN for an empty one.
        groups: float64 ``[B, M, G]``: of each group.
        classes: float64 ``[B, M, C]``: of each class.
        whole: float64 ``[B, M]``: of all samples.
        centres: float64 ``[M, G, C]``: accuracy of each subgroup with one source more, half of it right.
    """

    cells: Floats
    groups: Floats
    classes: Floats
    whole: Floats
    centres: Floats


@dataclass(frozen=True)
class _Part:
    """Drawn sums, models on the last axis.

    Attributes:
        shares: float64 ``[B, G, C, M]``: accuracy of each subgroup.
        sums: float64 ``[B, G, C, M]``: correct samples, in test sets of the wanted design.
        rows: float64 ``[B, G, C]``: samples.
    """

    shares: Floats
    sums: Floats
    rows: Floats | Ints


_Drawn = tuple[Floats, Floats, Iterator[_Part]]


def drawn_accuracies(rows: Rows, shape: tuple[int, int], drawing: Drawing) -> DrawnAccuracies:
    """Draw test sets.

    Sources are drawn by type. If they have several rows and more than 2,000 types, what they add up to is normal.

    Args:
        rows: cells are numbered ``group * C + class``, with one value for each model.
        shape: (G, C); unknown is a group like others.
        drawing: how test sets are drawn; fewer than requested if that takes long, but at least 200.
    """
    group = np.repeat(np.arange(shape[0]), shape[1])
    many = not rows.independent and len(distinct(rows.content)) > FEW_TYPES
    share, centres, parts = (_by_sums if many else _by_types)(rows, group, shape, drawing)
    sizes = np.bincount(rows.pools(group), minlength=shape[0])
    # If every source belongs to one group, the sizes of the groups vary, which matters for numbers over all groups.
    sizes = sizes if len(sizes) == shape[0] and drawing.design == "random" else np.zeros(shape[0], np.int64)
    of_sizes, number = np.random.default_rng([drawing.seed, 3]), int(sizes.sum())
    counts = np.bincount(rows.cell, minlength=rows.num_cells).reshape(shape)
    expected = _accuracies(_Part(share, np.nan_to_num(share) * counts[..., None], counts), np.ones(shape[0]))
    found: list[tuple[Floats, ...]] = []
    for part in parts:
        factor = np.ones((len(part.rows), shape[0]))
        if number:
            factor = of_sizes.multinomial(number, sizes / number, size=len(factor)) / np.maximum(sizes, 1)
        found.append(tuple(map(_apart, _accuracies(part, factor), expected)))
    joined = (np.concatenate(each) for each in zip(*found, strict=True))
    cells, groups, classes, whole = (np.moveaxis(each, -1, 1) for each in joined)
    return DrawnAccuracies(cells, groups, classes, whole, np.moveaxis(centres, -1, 0))


def _by_types(rows: Rows, group: Ints, shape: tuple[int, int], drawing: Drawing) -> _Drawn:
    """Return the expectation and the centre ``[G, C, M]``, and draws of outcomes by type."""
    found = outcomes_of(rows, pool=group, ends=True)
    draws = affordable(drawing.draws, len(found.weight))
    shape_ = (*shape, rows.values.shape[1])

    def parts() -> Iterator[_Part]:
        for each in found.test_sets(draws, drawing.seed, drawing.design):
            shares, sums = (values.reshape(-1, *shape_) for values in (each.shares, each.sums))
            yield _Part(shares, sums, each.rows.reshape(-1, *shape))

    share = found.share.reshape(shape_)
    return share, share, parts()


def _by_sums(rows: Rows, group: Ints, shape: tuple[int, int], drawing: Drawing) -> _Drawn:
    """Return the expectation and the centre ``[G, C, M]``, and normal draws of what sources add up to."""
    models, cells = rows.values.shape[1], rows.num_cells
    counts = np.bincount(rows.cell, minlength=cells)
    correct = placed(rows.owner, rows.cell, rows.values[rows.code], (rows.num_sources, cells * models))
    present = placed(rows.owner, rows.cell, np.ones(len(rows.cell)), (rows.num_sources, cells))
    sums = np.bincount(rows.cell * len(rows.values) + rows.code, minlength=cells * len(rows.values))
    with np.errstate(invalid="ignore"):
        share = (sums.reshape(cells, -1) @ rows.values) / counts[:, None]
    # As by type, one more source, half of it right, keeps a cell without errors from being free of them.
    sources = np.bincount(present.indices, minlength=cells)
    extra = np.nan_to_num(np.sqrt(2) * np.abs(share - 0.5)) * (counts / np.maximum(sources, 1))[:, None]
    added = csr_array(hstack([correct, present], format="csr"))
    of_sources = SourceSums(added, rows.pools(group), rows.content, int(group[-1]) + 2)

    def parts() -> Iterator[_Part]:
        generator = np.random.default_rng(drawing.seed)
        for drawn in of_sources.deviations(drawing.draws, generator):
            correct = drawn[:, : cells * models].reshape(-1, cells, models)
            correct += extra * generator.standard_normal(correct.shape)
            more = drawn[:, cells * models :]
            with np.errstate(invalid="ignore"):
                shares = share + (correct - share * more[..., None]) / counts[:, None]
            if drawing.design == "balanced":
                correct, more = np.nan_to_num(shares - share) * counts[:, None], np.zeros_like(more)
            in_all = np.nan_to_num(share) * counts[:, None] + correct
            shape_ = (-1, *shape, models)
            yield _Part(shares.reshape(shape_), in_all.reshape(shape_), (counts + more).reshape(shape_[:-1]))

    centre = (share * sources[:, None] + 0.5) / (sources[:, None] + 1)
    centre[sources == 0] = np.nan
    return share.reshape(*shape, models), centre.reshape(*shape, models), parts()


def affordable(draws: int, types: int) -> int:
    """Return how many test sets of so many types of sources to draw."""
    return min(draws, max(LEAST, int(_WORK / max(1, types))))


def _accuracies(part: _Part, factor: Floats) -> tuple[Floats, ...]:
    """Return the accuracies of cells, groups, classes and all samples, the groups ``factor`` times as large."""
    sums, rows = part.sums, part.rows
    of_groups, rows_of_groups = sums.sum(axis=-2), rows.sum(axis=-1)
    return (
        part.shares,
        divided(of_groups, rows_of_groups[..., None]),
        divided(np.einsum("...gcm,...g->...cm", sums, factor), np.einsum("...gc,...g->...c", rows, factor)[..., None]),
        divided((of_groups * factor[..., None]).sum(axis=-2), (rows_of_groups * factor).sum(axis=-1)[..., None]),
    )


def _apart(drawn: Floats, expected: Floats) -> Floats:
    """Return the difference; 0 where only the drawn test set has no rows."""
    found = drawn - expected
    return np.where(np.isnan(drawn) & ~np.isnan(expected), 0.0, found) if np.isnan(found).any() else found
