"""Counts of which only those above 0 are held are those of the array."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fairdistill.metrics import group_counts
from fairdistill.metrics.test_set.sparse_counts import SparseCounts

SHAPE = {"num_classes": 7, "num_groups": 3}


def made(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return tuple(generator.integers(low, high, rows) for low, high in ((0, 7), (0, 7), (-1, 3)))


@pytest.mark.parametrize("rows", [0, 1, 5, 400])
def test_they_equal_the_array(rows: int) -> None:
    given = made(rows)
    counts, expected = SparseCounts(*given, **SHAPE), group_counts(*given, **SHAPE)
    assert [[list(row) for row in table] for table in counts] == expected.tolist()
    assert counts.rows.tolist() == expected.sum(axis=2).tolist()
    assert counts.chosen.tolist() == expected.sum(axis=1).tolist()
    assert counts.empty == tuple(map(tuple, np.argwhere(expected.sum(axis=2) == 0).tolist()))
    assert counts[-1] == counts[2]
    assert counts[1:] == (counts[1], counts[2])


def test_equal_counts_are_equal_and_others_are_not() -> None:
    one, same = (SparseCounts(*made(50), **SHAPE) for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    assert one == tuple(same)
    assert one != SparseCounts(*made(50, seed=1), **SHAPE)
    assert one != 3


def test_a_group_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(IndexError):
        SparseCounts(*made(5), **SHAPE)[3]


def test_they_hold_no_more_than_there_are_samples() -> None:
    """An array of 1,000 classes and 50 groups has 50,000,000 numbers."""
    counts = SparseCounts(*made(100), num_classes=1000, num_groups=50)
    assert len(counts._at) == len(counts._number) <= 100


def test_json_is_that_of_the_tables() -> None:
    generator = np.random.default_rng(0)
    labels, predicted = generator.integers(0, 7, (2, 40))
    counts = SparseCounts(labels, predicted, generator.integers(-1, 3, 40), num_classes=7, num_groups=4)
    text = "".join(counts.json_parts("\n "))
    assert tuple(tuple(map(tuple, table)) for table in json.loads(text)) == tuple(counts)
    assert text.splitlines()[:3] == ["[", "  [", "   [" + ", ".join(map(str, counts[0][0])) + "],"]
    assert text.endswith("\n  ]\n ]")


def test_json_without_groups() -> None:
    nothing = np.zeros(0, np.int64)
    assert "".join(SparseCounts(nothing, nothing, nothing, num_classes=3, num_groups=0).json_parts("\n")) == "[]"
