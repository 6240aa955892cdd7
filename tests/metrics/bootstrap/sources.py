"""Rows of a few sources in a few cells, drawn and gathered."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from fairdistill.metrics.bootstrap.gathering import outcomes_of
from fairdistill.metrics.bootstrap.outcomes import Outcomes
from fairdistill.metrics.test_set.rows import Rows

CELLS, CODES = 3, 2

Triples = list[tuple[int, int, int]]


@st.composite
def tables(draw: st.DrawFn) -> Triples:
    """Rows (cell, code, source) in any order: sources of one row, of two, of more, and in several cells."""
    row = st.tuples(st.integers(0, CELLS - 1), st.integers(0, CODES - 1))
    sources = draw(st.lists(st.lists(row, min_size=1, max_size=3), min_size=1, max_size=12))
    names = draw(st.permutations(range(len(sources))))
    return draw(st.permutations([(*one, name) for name, rows in zip(names, sources, strict=True) for one in rows]))


def gathered(rows: Any, *, values: Any = None, cells: int = CELLS, smooth: bool = False) -> Outcomes:
    cell, code, source = np.asarray(rows, np.int64).reshape(-1, 3).T
    values = np.eye(CODES) if values is None else values
    return outcomes_of(Rows(cell=cell, code=code, values=values, sources=source, num_cells=cells), smooth=smooth)
