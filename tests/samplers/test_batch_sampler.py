from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from fairdistill.samplers import Balanced, BalancedBatchSampler, Shuffled
from tests.data.making import dataset, dataset_of_sizes
from tests.samplers.making import UNEVEN, drawn

LABELS, GROUPS = [0] * 7 + [1] * 5 + [2] * 3, [0] * 4 + [1] * 3 + [1] * 5 + [0, 1, -1]


def test_the_batch_sampler_gives_the_batches_of_the_balanced_sampler_epoch_by_epoch() -> None:
    data = dataset(LABELS, GROUPS, num_classes=3)
    with pytest.warns(UserWarning, match="empty"):
        balanced = Balanced(data, batch_size=12, seed=3)
    sampler = BalancedBatchSampler(LABELS, GROUPS, batch_size=12, seed=3)
    assert len(sampler) == balanced.steps_per_epoch
    epochs = [list(sampler) for _ in range(3)]
    assert [rows for epoch in epochs for rows in epoch] == [rows.tolist() for rows in drawn(balanced, 3 * len(sampler))]
    assert epochs[0] != epochs[1]
    sampler.set_epoch(1)
    assert list(sampler) == epochs[1]


def test_a_data_loader_takes_the_batch_sampler() -> None:
    loader = DataLoader(TensorDataset(torch.arange(15)), batch_sampler=BalancedBatchSampler(LABELS, GROUPS, 12, seed=3))
    labels, groups = torch.tensor(LABELS), torch.tensor(GROUPS)
    for (rows,) in loader:
        counts = torch.bincount(labels[rows] * 2 + groups[rows].clamp_min(0), minlength=6)
        unknown = int((groups[rows] == -1).sum())
        assert unknown == 1
        assert counts.tolist() == [2, 2, 0, 2, 2 + unknown, 2]


def test_the_batch_sampler_takes_arrays_and_tensors_alike() -> None:
    of_lists = list(BalancedBatchSampler(LABELS, GROUPS, 12))
    assert list(BalancedBatchSampler(np.array(LABELS), np.array(GROUPS), 12)) == of_lists
    assert list(BalancedBatchSampler(torch.tensor(LABELS), torch.tensor(GROUPS), 12)) == of_lists
    columns = (pd.Series(column, index=range(7, 22)) for column in (LABELS, GROUPS))  # as of a table that was filtered
    assert list(BalancedBatchSampler(*columns, np.int64(12))) == of_lists
    assert list(BalancedBatchSampler(LABELS, GROUPS, 12, seed=1)) != of_lists


@pytest.mark.parametrize(
    ("labels", "groups", "batch_size", "message"),
    [
        ([0, 1], [0], 4, r"vectors of the same length, but got shapes \(2,\) and \(1,\)"),
        ([0, 1], [-1, -1], 4, "at least one known group, but all are -1"),
        ([], [], 4, "at least one known group"),
        ([0, 1], [0, -1], 1, "a batch of 1 is too small"),
        ([0, 1], [0, 1], 4.0, "`batch_size` to be a whole number, but got 4.0"),
        (["cat", "dog"], [0, 1], 4, "`labels` to hold integers, but got <U3"),
        ([0, -1], [0, 1], 4, "`labels` to be at least 0, but row 1 is -1"),
        ([0, 1], [-2, 1], 4, "`groups` to be at least -1, but row 0 is -2"),
    ],
)
def test_what_the_batch_sampler_cannot_balance_is_named(labels, groups, batch_size, message) -> None:
    with pytest.raises(ValueError, match=message):
        BalancedBatchSampler(labels, groups, batch_size)


@pytest.mark.parametrize("batch_size", [6, 13, 60, 4])
@pytest.mark.parametrize("kind", [Balanced, Shuffled])
def test_passes_count_how_often_each_row_was_drawn_before(kind: type[Balanced | Shuffled], batch_size: int) -> None:
    data = dataset_of_sizes(UNEVEN, unknown=[2, 0, 5])
    sampler = kind(data, batch_size=batch_size, seed=3)
    seen = torch.zeros(len(data), dtype=torch.int64)
    for step in range(5 * sampler.steps_per_epoch):
        rows, passes = sampler.batch(step), sampler.passes(step)
        for row, before in zip(rows.tolist(), passes.tolist(), strict=True):
            assert seen[row] == before
            seen[row] += 1
    assert seen.max() > 4


@pytest.mark.parametrize("wrong", [[0.0, 0.7, 1.0], [0.0, float("nan"), 1.0]])
@pytest.mark.parametrize("name", ["labels", "groups"])
def test_fractions_are_refused_and_not_cut_off(name, wrong) -> None:
    with pytest.raises(ValueError, match=f"`{name}` to hold integers, but got float64"):
        BalancedBatchSampler(**{"labels": [0, 0, 1], "groups": [0, 1, 1], name: wrong})
