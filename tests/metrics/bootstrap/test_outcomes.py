"""Test sets drawn from types of sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics.bootstrap import outcomes
from fairdistill.metrics.bootstrap.outcomes import Outcomes
from tests.metrics.bootstrap.sources import CELLS, CODES, Triples, gathered, tables

BOTH = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # code: the first model right, the second right


def drawn_shares(found: Outcomes, draws: int, seed: int) -> list[Any]:
    """The shares of test sets with as many sources in each stratum, some at a time."""
    return [each.shares for each in found.test_sets(draws, seed, "balanced")]


@settings(deadline=None, derandomize=True, max_examples=50)
@given(tables())
def test_the_share_is_the_mean_of_the_rows(rows: Triples) -> None:
    share = gathered(rows).share
    for at in range(CELLS):
        own = [code for cell, code, _ in rows if cell == at]
        expected = [own.count(code) / len(own) for code in range(CODES)] if own else [np.nan] * CODES
        np.testing.assert_allclose(share[at], expected, atol=1e-12)


def test_the_share_of_a_smoothed_cell_worked_by_hand() -> None:
    # 3 of 4 rows right and one source more, half of it right: 3.5 of 5
    found = gathered([(0, 1, 0), (0, 1, 1), (0, 1, 2), (0, 0, 3)], cells=1, smooth=True)
    np.testing.assert_allclose(found.share, [[0.3, 0.7]])


@settings(deadline=None, derandomize=True, max_examples=50)
@given(tables(), st.booleans())
def test_every_drawn_test_set_has_as_many_rows_in_every_cell(rows: Triples, smooth: bool) -> None:
    found = gathered(rows, smooth=smooth)
    drawn = np.concatenate(drawn_shares(found, 20, 0))
    assert drawn.shape == (20, CELLS, CODES)
    np.testing.assert_allclose(drawn.sum(axis=2)[:, found.rows > 0], 1, atol=1e-12)
    assert np.isnan(drawn[:, found.rows == 0]).all()


def test_every_drawn_test_set_has_as_many_sources_of_every_stratum() -> None:
    # In cell 0 are 5 single rows, all of code 0, and 3 pairs with cell 1, all of code 1: the mixture never changes.
    rows = [(0, 0, source) for source in range(5)]
    rows += [(cell, 1, source) for source in range(5, 8) for cell in (0, 1)]
    drawn = np.concatenate(drawn_shares(gathered(rows), 200, 0))
    np.testing.assert_allclose(drawn[:, 0], [[5 / 8, 3 / 8]] * 200)


def test_the_mean_of_the_draws_is_the_share_and_their_variance_the_binomial_one() -> None:
    rows = [(0, int(at < 30), at) for at in range(40)] + [(1, int(at < 55), 100 + at) for at in range(60)]
    for smooth in (False, True):
        found = gathered(rows, cells=2, smooth=smooth)
        drawn = np.concatenate(drawn_shares(found, 20_000, 3))[..., 1]
        expected = found.share[:, 1]
        variance = expected * (1 - expected) / np.array([40, 60])
        np.testing.assert_allclose(drawn.mean(axis=0), expected, atol=5 * np.sqrt(variance.max() / 20_000))
        np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.05)


def test_rows_of_one_picture_move_together() -> None:
    right = np.arange(50) % 3 > 0
    pairs = [(group, int(right[source]), source) for group in (0, 1) for source in range(50)]
    drawn = np.concatenate(drawn_shares(gathered(pairs), 500, 0))[..., 1]
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn[:, 0].std() > 0.01
    alone = [(cell, code, at) for at, (cell, code, _) in enumerate(pairs)]
    drawn = np.concatenate(drawn_shares(gathered(alone), 500, 0))[..., 1]
    assert (drawn[:, 0] != drawn[:, 1]).mean() > 0.5


def test_the_same_seed_draws_the_same_and_another_draws_others() -> None:
    found = gathered([(0, at % 2, at) for at in range(50)])
    first, again, other = (np.concatenate(drawn_shares(found, 30, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first[:, 0] != other[:, 0]).any()


def test_all_draws_come_though_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "_CHUNK_BYTES", 8 * 20 * 2)
    found = gathered([(at % 2, at % 4, at) for at in range(40)], values=BOTH, cells=2)
    parts = drawn_shares(found, 50, 0)
    assert len(parts) > 1
    assert sum(map(len, parts)) == 50
    together = np.concatenate(parts)
    assert len(np.unique(together.reshape(50, -1), axis=0)) > 25  # no part repeats another


def test_of_no_sources_nothing_is_drawn() -> None:
    found = gathered([])
    assert np.isnan(found.share).all()
    assert np.isnan(np.concatenate(drawn_shares(found, 5, 0))).all()
