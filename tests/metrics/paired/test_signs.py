from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from fairdistill.metrics.paired.signs import Signs, holm


def p_values(apart: list[int], cells: list[int] | None = None, sources: list[int] | None = None, **given: object):
    """The p-values of rows on which the second model has so many more correct seeds."""
    cells = [0] * len(apart) if cells is None else cells
    sources = list(range(len(apart))) if sources is None else sources
    return Signs.of(*(np.array(each, np.int64) for each in (cells, sources, apart)), max(cells) + 1).p_values(**given)


def by_trying_all(sizes: list[int]) -> float:
    signs = 1 - 2 * (np.arange(2 ** len(sizes))[:, None] >> np.arange(len(sizes)) & 1)
    return float((np.abs(signs @ np.abs(sizes)) >= abs(sum(sizes))).mean())


@pytest.mark.parametrize(("gained", "lost"), [(0, 1), (8, 2), (30, 14), (7, 7), (0, 600), (900, 800)])
def test_single_rows_are_mcnemars_exact_test(gained: int, lost: int) -> None:
    (found,) = p_values([1] * gained + [-1] * lost)
    assert found == pytest.approx(binomtest(gained, gained + lost).pvalue, rel=1e-9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=10))
def test_sources_of_any_size_are_as_by_trying_all_swaps(sizes: list[int]) -> None:
    assert p_values(sizes)[0] == pytest.approx(by_trying_all(sizes))


def test_rows_of_a_source_add_up_and_may_cancel() -> None:
    found = p_values([1, 1, 1, -1, 1], cells=[0, 0, 1, 1, 1], sources=[0, 0, 1, 1, 2])
    assert found.tolist() == [1, 1]  # one source each: 2 of 2
    assert p_values([1, -1, 0], cells=[2, 2, 1], sources=[5, 5, 5]).tolist() == [1, 1, 1]


def test_long_sums_are_as_short_ones() -> None:
    # the same differences in pairs: 600 of size 2 and 600 of size 4 are 600 of 1 and of 2
    sizes = np.repeat([1, -1, 2, -2], [330, 270, 310, 290]).tolist()
    one, other = p_values(sizes)[0], p_values([2 * size for size in sizes])[0]
    assert one == pytest.approx(other, rel=1e-9)
    assert one == pytest.approx(0.068, abs=0.004)  # 60 + 2 * 20 is 1.83 times sqrt(600 + 4 * 600)


def test_a_cell_among_thousands_can_be_found() -> None:
    found = holm(np.append(p_values([-1] * 40), np.ones(100_000)))
    assert found[0] == pytest.approx(100_001 * 2 / 2**40)


def test_the_noise_of_seeds_is_added() -> None:
    alone, noisy = p_values([2] * 6)[0], p_values([2] * 6, error=np.array([8.0]), seeds=3)[0]
    assert alone == 2 / 2**6
    assert noisy > 3 * alone
    assert p_values([2] * 6, error=np.array([0.0]), seeds=3)[0] == pytest.approx(alone)


def test_holm_worked_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    assert holm(np.array([])).tolist() == []


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_as_the_procedure_step_by_step(values: list[float]) -> None:
    p_values = np.array(values)
    corrected = holm(p_values)
    assert (corrected >= p_values).all()
    assert (corrected <= 1).all()
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()
    for level in (0.01, 0.05, 0.5):
        rejected = []
        for step, at in enumerate(order):
            if p_values[at] * (len(values) - step) > level:
                break
            rejected.append(at)
        assert sorted(rejected) == np.flatnonzero(corrected <= level).tolist()
