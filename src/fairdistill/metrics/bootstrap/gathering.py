"""From the rows of a test set to the types of its sources, which new test sets are drawn from."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, vstack

from fairdistill.metrics.arrays import Ints
from fairdistill.metrics.bootstrap.large_cells import NormalSums, large_cells
from fairdistill.metrics.bootstrap.outcomes import Outcomes
from fairdistill.metrics.bootstrap.strata import of_several_rows, of_single_rows
from fairdistill.metrics.test_set.rows import Rows, placed

_ALL_CODES = 16


def outcomes_of(rows: Rows, *, smooth: bool = True, pool: Ints | None = None, ends: bool = False) -> Outcomes:
    """Gather rows into types of sources.

    Args:
        rows: of the test set.
        smooth: whether a source may be added to each stratum, see :class:`Outcomes`.
        pool: int64 ``[cells]``, for example the group of each cell: if fewer than 20 sources of several rows share the
            same cells, they are drawn together with others of the same pool; None: every stratum by itself.
        ends: whether the first outcome is all wrong and the last all right; then a source is also added to strata of
            sources with several rows, spread over all right, all wrong and one row wrong.
    """
    values, codes, num_cells = rows.values, len(rows.values), rows.num_cells
    smooth = smooth and codes <= _ALL_CODES
    key = rows.cell * codes + rows.code
    alone = key if rows.independent else key[(np.bincount(rows.owner) == 1)[rows.owner]]
    counts = np.bincount(alone, minlength=num_cells * codes).reshape(-1, codes)
    large = np.flatnonzero(large_cells(counts, values) & ends)
    in_large, counts[large] = counts[large], 0
    strata = [of_single_rows(counts, pool, smooth=smooth)]
    if not rows.independent:
        strata += of_several_rows(key, rows.owner, codes, pool, smooth=smooth and ends)
    counted = np.array([len(each.weight) for each in strata])
    before = np.cumsum(counted) - counted
    type_ = np.concatenate([each.type + at for each, at in zip(strata, before, strict=True)])
    of_row = np.concatenate([each.key for each in strata])
    table = placed(type_, of_row // codes, values[of_row % codes], (counted.sum(), num_cells * values.shape[1]))
    row_table = placed(type_, of_row // codes, np.ones(len(of_row)), (counted.sum(), num_cells))
    sums = NormalSums.of(large, in_large.astype(np.float64) + (1 / codes if smooth else 0.0), values, num_cells)
    types, sources = np.concatenate([*(each.types for each in strata), sums.types]), in_large.sum(axis=1)
    first = np.cumsum(types) - types
    weight = np.concatenate([*(each.weight for each in strata), np.zeros(int(sums.types.sum()))])
    weight[first[len(first) - len(large) :]] = sources
    of_large = np.full(len(large), -1) if pool is None else pool[large]
    return Outcomes(
        weight=weight,
        sources=np.concatenate([*(each.sources for each in strata), sources]),
        first=first,
        table=csr_array(vstack([table, sums.table], format="csr")),
        row_table=csr_array(vstack([row_table, sums.row_table], format="csr")),
        rows=np.bincount(rows.cell, minlength=num_cells),
        pooled=any(each.pooled for each in strata),
        pool=np.concatenate([*(each.pool for each in strata), of_large]),
        normal=np.arange(len(first)) >= len(first) - len(large),
        independent=rows.independent,
    )
