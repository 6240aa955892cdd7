"""What rows of one source are worth."""

from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.test_set.worth import worth_of


def test_independent_rows_are_worth_their_number() -> None:
    rows = np.arange(60)
    assert worth_of(rows % 3 / 3, rows % 2, 7 * rows, 3).tolist() == [30, 30, 0]


def test_copies_are_worth_less_than_their_sources() -> None:
    rows = np.arange(600)
    values = np.random.default_rng(0).random(100)[rows // 6]
    (found,) = worth_of(values, np.zeros(600, np.int64), rows // 6, 1)
    assert 90 < found <= 100  # a hundred sources, a little fewer as their variance is uncertain


def test_rows_of_a_source_that_differ_as_all_others_do_are_worth_nearly_all() -> None:
    rows = np.arange(2000)
    values = np.random.default_rng(1).random(2000)
    (found,) = worth_of(values, np.zeros(2000, np.int64), rows // 2, 1)
    assert found > 1800


def test_without_any_difference_rows_count_as_copies() -> None:
    rows = np.arange(100)
    (found,) = worth_of(np.zeros(100), np.zeros(100, np.int64), rows // 5, 1)
    assert found == pytest.approx(20, rel=0.15)
    assert found < 20


def test_every_cell_with_rows_is_worth_at_least_one() -> None:
    rows = np.arange(10)
    found = worth_of((rows < 5).astype(float), rows % 2, np.zeros(10, np.int64), 3)
    assert found.tolist() == [1, 1, 0]
