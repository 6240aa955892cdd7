"""What drawn test sets add to the accuracies of subgroups, groups, classes and of all samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.outcomes import Outcomes
from fairdistill.metrics.samples import Drawing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnAccuracies:
    """Differences between the accuracies in B drawn test sets and their expectation, of M models.

    Attributes:
        cells: float64 ``[B, M, G + 1, C]``: of each subgroup; the last group holds the samples of unknown group.
        groups: float64 ``[B, M, G + 1]``: of each group.
        classes: float64 ``[B, M, C]``: of each class.
        whole: float64 ``[B, M]``: of all samples.
    """

    cells: Floats
    groups: Floats
    classes: Floats
    whole: Floats


def drawn_accuracies(found: Outcomes, draws: int, drawing: Drawing, shape: tuple[int, int]) -> DrawnAccuracies:
    """Draw test sets; groups and classes without samples are NaN.

    Args:
        found: the outcomes, with the group of a cell as its pool, and one value for each model.
        draws: number of test sets.
        drawing: their seed and their design.
        shape: (G + 1, C).
    """
    models = found.share.shape[1]
    expected = _accuracies(found.share.reshape(1, *shape, models), found.rows.reshape(1, *shape))
    of_sizes = np.random.default_rng([drawing.seed, 3])
    # If every source belongs to one group, the sizes of the groups vary, which matters for the accuracy of all samples.
    sizes = np.bincount(found.pool, found.sources, shape[0]) if (found.pool >= 0).all() else np.zeros(shape[0])
    size = int(sizes.sum()) if drawing.design == "random" else 0
    cells, groups, classes, whole = [], [], [], []
    for test_sets in found.test_sets(draws, drawing.seed, drawing.design):
        shares, rows = test_sets.shares, test_sets.rows.reshape(-1, *shape)
        sums = test_sets.sums.reshape(*rows.shape, models)
        factor = np.ones((len(rows), shape[0]))
        if size:
            factor = of_sizes.multinomial(size, sizes / size, size=len(rows)) / np.where(sizes > 0, sizes, 1)
        of_cells = shares.reshape(*rows.shape, models) - found.share.reshape(*shape, models)
        of_groups = _apart(_divided(sums.sum(axis=2), rows.sum(axis=2)), expected.groups)
        of_classes = _apart(_divided(sums.sum(axis=1), rows.sum(axis=1)), expected.classes)
        both = np.einsum("bgm,bg->bm", sums.sum(axis=2), factor), np.einsum("bg,bg->b", rows.sum(axis=2), factor)
        cells.append(np.moveaxis(of_cells, -1, 1))
        groups.append(np.moveaxis(of_groups, -1, 1))
        classes.append(np.moveaxis(of_classes, -1, 1))
        whole.append(_apart(_divided(*both), expected.whole))
    return DrawnAccuracies(*(np.concatenate(parts) for parts in (cells, groups, classes, whole)))


def _accuracies(shares: Floats, rows: NDArray[np.int64]) -> DrawnAccuracies:
    """Return the accuracies of groups, classes and all samples; models are on the last axis."""
    sums = np.nan_to_num(shares) * rows[..., None]
    return DrawnAccuracies(
        shares,
        _divided(sums.sum(axis=2), rows.sum(axis=2)),
        _divided(sums.sum(axis=1), rows.sum(axis=1)),
        _divided(sums.sum(axis=(1, 2)), rows.sum(axis=(1, 2))),
    )


def _apart(drawn: Floats, expected: Floats) -> Floats:
    """Return the difference; 0 where only the drawn test set has no rows."""
    return np.where(np.isnan(drawn) & ~np.isnan(expected), 0.0, drawn - expected)


def _divided(sums: Floats, rows: Floats | NDArray[np.int64]) -> Floats:
    """Return ``sums`` per row; NaN without rows."""
    return np.asarray(sums / np.where(rows > 0, rows, np.nan)[..., None])
