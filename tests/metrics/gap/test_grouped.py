from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, hypergeom

from fairdistill.metrics.gap.exchanges import Exchanges, shuffled_within
from fairdistill.metrics.gap.grouped import GroupedRows
from fairdistill.metrics.gap.halves import Halves


def rows_of(kind: str, *, seed: int = 0, n: int = 600, shape: tuple[int, int, int] = (3, 2, 2)) -> GroupedRows:
    """Rows of independent pictures, of people (five rows each, one group) or of pictures shown several times."""
    draw = np.random.default_rng(seed)
    groups, strata, codes = (draw.integers(0, size, n) for size in shape)
    sources = np.arange(n) // {"single": 1, "people": 5, "pairs": 2, "mixed": 4}[kind]
    if kind == "people":
        groups = draw.integers(0, shape[0], n)[sources]
    return GroupedRows(groups=groups, strata=strata, codes=codes, sources=sources, shape=shape)


KINDS = ("single", "people", "pairs", "mixed")


@pytest.mark.parametrize("kind", KINDS)
def test_exchanges_keep_the_rows_of_each_stratum_and_outcome(kind: str) -> None:
    rows = rows_of(kind)
    drawn = np.concatenate(list(rows.permuted(50, 0)))
    assert drawn.shape == (50, 3, 2, 2)
    np.testing.assert_array_equal(drawn.sum(axis=1), np.tile(rows.counts.sum(axis=0), (50, 1, 1)))
    assert drawn.min() >= 0
    assert len(np.unique(drawn.reshape(50, -1), axis=0)) > 40
    if kind == "single":
        np.testing.assert_array_equal(drawn.sum(axis=3), np.tile(rows.counts.sum(axis=2), (50, 1, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_halves_are_parts_of_about_half_and_whole_sources(kind: str) -> None:
    rows = rows_of(kind)
    halves = np.concatenate(list(rows.halved(200, 0)))
    assert (halves <= rows.counts).all()
    np.testing.assert_allclose(halves.mean(axis=0), rows.counts / 2, atol=1.2)
    np.testing.assert_allclose(halves.sum(axis=(1, 2, 3)), 300, atol=60)
    alike = GroupedRows(  # every person has five rows of one cell: halves hold multiples of five
        groups=np.repeat([0, 1], 50), strata=np.zeros(100, int), codes=np.repeat(np.arange(20) % 2, 5),
        sources=np.repeat(np.arange(20), 5), shape=(2, 1, 2),
    )  # fmt: skip
    for half in alike.halved(20, 0):
        assert (half % 5 == 0).all()
        np.testing.assert_array_equal(half.sum(axis=3), 25)


def test_single_rows_are_dealt_as_the_hypergeometric_distribution_has_it() -> None:
    groups, codes = np.repeat([0, 1], [7, 5]), np.array([1] * 6 + [0] * 6)
    rows = GroupedRows(groups=groups, strata=groups * 0, codes=codes, sources=np.arange(12), shape=(2, 1, 2))
    drawn = np.concatenate(list(rows.permuted(20_000, 0)))[:, 0, 0, 1]
    possible = np.arange(1, 7)
    often = np.bincount(drawn, minlength=7)[1:]
    assert chisquare(often, 20_000 * hypergeom.pmf(possible, 12, 6, 7)).pvalue > 1e-3


def test_pictures_shown_in_two_groups_swap_with_probability_one_half_each() -> None:
    # ten pictures, of which group 0 gets four right and group 1 two, never the same
    codes = np.array([1] * 4 + [0] * 6 + [0] * 8 + [1] * 2)
    rows = GroupedRows(
        groups=np.repeat([0, 1], 10), strata=np.zeros(20, int), codes=codes, sources=np.tile(np.arange(10), 2),
        shape=(2, 1, 2),
    )  # fmt: skip
    drawn = np.concatenate(list(rows.permuted(20_000, 0)))[:, :, 0, 1]
    np.testing.assert_array_equal(drawn.sum(axis=1), 6)
    assert drawn[:, 0].mean() == pytest.approx(3, abs=0.05)
    assert drawn[:, 0].var() == pytest.approx(6 / 4, rel=0.05)


def test_a_picture_shown_three_times_shuffles_its_own_rows() -> None:
    rows = GroupedRows(
        groups=np.arange(3),
        strata=np.zeros(3, int),
        codes=np.array([1, 0, 0]),
        sources=np.zeros(3, int),
        shape=(3, 1, 2),
    )
    drawn = np.concatenate(list(rows.permuted(3000, 0)))[:, :, 0, 1]
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.04)


def test_a_person_moves_with_all_rows() -> None:
    # 40 people, each all right or all wrong: the variance is that of 40, not of 200
    right = np.arange(40) % 2
    rows = GroupedRows(
        groups=np.repeat(np.arange(40) // 20, 5), strata=np.zeros(200, int), codes=np.repeat(right, 5),
        sources=np.repeat(np.arange(40), 5), shape=(2, 1, 2),
    )  # fmt: skip
    drawn = np.concatenate(list(rows.permuted(5000, 0)))[:, 0, 0, 1] / 5
    assert drawn.var() == pytest.approx(hypergeom.var(40, 20, 20), rel=0.1)
    assert rows.independent_rows.tolist() == [[20], [20]]


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.sampled_from(KINDS), st.permutations(range(3)), st.permutations(range(2)), st.integers(0, 5))
def test_names_and_order_of_rows_change_nothing(
    kind: str, group_at: list[int], stratum_at: list[int], seed: int
) -> None:
    rows = rows_of(kind, seed=seed, n=120)
    order = np.random.default_rng(seed).permutation(120)
    to_group, to_stratum = np.array(group_at), np.array(stratum_at)
    turned = GroupedRows(
        groups=to_group[rows.groups][order], strata=to_stratum[rows.strata][order], codes=rows.codes[order],
        sources=1000 - 3 * rows.sources[order], shape=rows.shape,
    )  # fmt: skip
    for name in ("permuted", "halved"):
        first, second = (np.concatenate(list(getattr(each, name)(20, 0))) for each in (rows, turned))
        np.testing.assert_array_equal(second[:, to_group][:, :, to_stratum], first)


def test_blocks_are_shuffled_within_and_uniformly() -> None:
    block = np.repeat([0, 3, 70_000], [2, 3, 1])
    generator = np.random.default_rng(0)
    found = np.array([shuffled_within(block, generator) for _ in range(3000)])
    np.testing.assert_array_equal(block[found], np.tile(block, (3000, 1)))
    assert (found[:, 0] == 0).mean() == pytest.approx(0.5, abs=0.04)
    assert len(np.unique(found, axis=0)) == 2 * 6


def test_many_cells_get_fewer_draws_but_at_least_100(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairdistill.metrics.gap.exchanges._SECONDS", 0.0)
    monkeypatch.setattr("fairdistill.metrics.gap.halves._SECONDS", 0.0)
    single = np.full((2, 3, 2), 5)
    generator = np.random.default_rng(0)
    assert sum(map(len, Exchanges(single, []).drawn(1000, generator))) == 100
    assert sum(map(len, Halves(single, []).drawn(1000, generator))) == 30
