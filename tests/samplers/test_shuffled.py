from __future__ import annotations

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.samplers import Shuffled
from tests.data.making import dataset, dataset_of_sizes
from tests.samplers.making import UNEVEN, drawn


@pytest.mark.parametrize("batch_size", [1, 4, 13, 39, 100])
def test_shuffled_gives_every_row_once_a_pass(batch_size: int) -> None:
    n = 39
    sampler = Shuffled(dataset_of_sizes(UNEVEN), batch_size=batch_size, seed=0)
    assert sampler.steps_per_epoch == -(-n // batch_size)
    batches = drawn(sampler, -(-4 * n // batch_size))
    assert {len(rows) for rows in batches} == {batch_size}
    stream = torch.cat(batches)
    passes = [stream[k * n : (k + 1) * n].tolist() for k in range(4)]
    assert all(sorted(rows) == list(range(n)) for rows in passes)
    assert len(set(map(tuple, passes))) == 4


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 39), (16, 2), (38, 1), (39, 1)])
def test_dropping_the_last_batch_starts_each_epoch_anew(batch_size: int, steps: int) -> None:
    sampler = Shuffled(dataset_of_sizes(UNEVEN), batch_size=batch_size, seed=0, drop_last=True)
    assert sampler.steps_per_epoch == steps
    seen: set[int] = set()
    for epoch in range(8):
        rows = torch.cat([sampler.batch(epoch * steps + k) for k in range(steps)]).tolist()
        assert len(rows) == len(set(rows)) == steps * batch_size
        seen |= set(rows)
    assert seen == set(range(39))


def test_dropping_the_only_batch_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"made/train has 39 samples, fewer than one batch of 40; .*--batch-size"):
        Shuffled(dataset_of_sizes(UNEVEN), batch_size=40, seed=0, drop_last=True)


def test_shuffled_draws_rows_of_unknown_group_too() -> None:
    sampler = Shuffled(dataset([0, 1, 0], [-1, 0, -1]), batch_size=3, seed=0)
    assert sorted(sampler.batch(0).tolist()) == [0, 1, 2]
