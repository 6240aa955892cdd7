from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.data.datasets.skew import legacy_permutation, skewed_groups
from tests.data.making import numpy_shuffle, walked_groups


def test_groups_of_ten_rows_worked_by_hand() -> None:
    labels = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    order = torch.tensor([9, 4, 8, 3, 7, 2, 6, 1, 5, 0])
    groups = skewed_groups(labels, order, skew=0.8, num_classes=2)
    # Of class 0 the rows 4, 3, 2, 1 come first; of class 1 the row 9.
    assert groups.tolist() == [1, 0, 0, 0, 0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("skew", "num_classes", "grey"),
    [
        (1.0, 4, [6, 6, 0, 0]),
        (0.0, 4, [0, 0, 6, 6]),
        (0.5, 4, [3, 3, 3, 3]),
        (2 / 3, 3, [4, 2, 2]),  # the lower half of three classes is one class
        (1.0, 1, [0]),
    ],
)
def test_each_half_of_the_classes_gets_its_share(skew: float, num_classes: int, grey: list[int]) -> None:
    labels = torch.arange(num_classes).repeat(6)
    groups = skewed_groups(labels, torch.randperm(len(labels)), skew=skew, num_classes=num_classes)
    assert torch.bincount(labels[groups == 0], minlength=num_classes).tolist() == grey
    assert set(groups.tolist()) <= {0, 1}


@settings(deadline=None, derandomize=True)
@given(
    labels=st.lists(st.integers(0, 4), max_size=40),
    skew=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_rule_equals_a_walk_over_the_rows(labels: list[int], skew: float, seed: int) -> None:
    rows = torch.tensor(labels, dtype=torch.int64)
    order = legacy_permutation(len(rows), seed)
    groups = skewed_groups(rows, order, skew=skew, num_classes=5)
    assert groups.tolist() == walked_groups(rows.numpy(), order.numpy(), skew=skew, num_classes=5).tolist()


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (10, 0), (1797, 5), (50_000, 0), (50_000, 2**32 - 1)])
def test_permutation_is_numpys_legacy_shuffle(n: int, seed: int) -> None:
    order = legacy_permutation(n, seed)
    assert order.dtype == torch.int64
    assert (order.numpy() == numpy_shuffle(n, seed)).all()
    assert sorted(order.tolist()) == list(range(n))


def test_permutation_is_the_published_one() -> None:
    # Recorded once, so that a change of NumPy cannot change the colouring unseen.
    assert legacy_permutation(10, 0).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]


def test_permutation_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    legacy_permutation(100, 1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
