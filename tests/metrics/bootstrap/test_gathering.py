"""Types and strata of sources, against dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from fairdistill.metrics.bootstrap.gathering import outcomes_of
from fairdistill.metrics.bootstrap.outcomes import Outcomes
from fairdistill.metrics.test_set.rows import Rows
from tests.metrics.bootstrap.sources import CELLS, CODES, Triples, gathered, tables


def by_stratum(found: Outcomes) -> dict[Any, dict[Any, float]]:
    """``{cells of the rows: {(cell, code) of the rows: weight}}``, read from a table whose values are one-hot."""
    stops = np.append(found.first[1:], len(found.weight))
    dense = found.table.toarray().astype(int)
    told: dict[Any, dict[Any, float]] = {}
    for low, high in zip(found.first, stops, strict=True):
        types = [
            tuple(divmod(at, CODES) for at in np.repeat(np.arange(dense.shape[1]), dense[t]).tolist())
            for t in range(low, high)
        ]
        (stratum,) = {tuple(cell for cell, _ in rows) for rows in types}
        assert stratum not in told
        assert len(set(types)) == len(types)
        told[stratum] = dict(zip(types, found.weight[low:high].tolist(), strict=True))
    return told


def slowly(rows: Triples) -> dict[Any, dict[Any, float]]:
    of_source = defaultdict(list)
    for cell, code, source in rows:
        of_source[source].append((cell, code))
    told: dict[Any, Counter[Any]] = defaultdict(Counter)
    for own in of_source.values():
        kind = tuple(sorted(own))
        told[tuple(cell for cell, _ in kind)][kind] += 1
    return {stratum: dict(types) for stratum, types in told.items()}


@settings(deadline=None, derandomize=True)
@given(tables())
def test_types_and_strata_equal_a_dictionary_of_sources(rows: Triples) -> None:
    found, expected = gathered(rows), slowly(rows)
    assert by_stratum(found) == expected
    assert found.sources.tolist() == [sum(types.values()) for types in map(expected.get, by_stratum(found))]
    assert found.rows.tolist() == [sum(cell == at for cell, _, _ in rows) for at in range(CELLS)]
    assert found.independent == all(len(stratum) == 1 for stratum in expected)


@settings(deadline=None, derandomize=True)
@given(tables())
def test_one_source_is_added_to_strata_of_single_rows_and_nowhere_else(rows: Triples) -> None:
    found, expected = gathered(rows, smooth=True), slowly(rows)
    for stratum, types in expected.items():
        if len(stratum) == 1:
            expected[stratum] = {
                ((*stratum, code),): types.get(((*stratum, code),), 0) + 1 / CODES for code in range(CODES)
            }
    assert by_stratum(found) == expected
    assert found.sources.tolist() == gathered(rows).sources.tolist()


@pytest.mark.parametrize(("codes", "types", "weight"), [(16, 16, 11), (17, 10, 10)])
def test_many_outcomes_are_not_smoothed(codes: int, types: int, weight: int) -> None:
    rows = np.arange(10)
    found = outcomes_of(Rows(cell=0 * rows, code=rows, values=np.eye(codes), sources=rows, num_cells=1))
    assert (len(found.weight), found.weight.sum()) == (types, pytest.approx(weight))


def test_no_rows_are_no_sources() -> None:
    found = gathered([])
    assert found.rows.tolist() == [0] * CELLS
    assert len(found.weight) == len(found.sources) == 0
