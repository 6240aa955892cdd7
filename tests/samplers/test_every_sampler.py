"""What holds for every sampler of the trainer."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from fairdistill.samplers import Balanced, Sampler, Shuffled
from tests.data.making import dataset_of_sizes
from tests.samplers.making import TWELVE_CELLS, UNEVEN, drawn

Make = Callable[[int], Sampler]
MAKERS: dict[str, Make] = {
    "balanced": lambda seed: Balanced(dataset_of_sizes(UNEVEN), batch_size=18, seed=seed),
    "taking turns": lambda seed: Balanced(dataset_of_sizes(TWELVE_CELLS), batch_size=5, seed=seed),
    "balanced with unknown": lambda seed: Balanced(
        dataset_of_sizes(UNEVEN, unknown=[4, 4, 4]), batch_size=24, seed=seed
    ),
    "shuffled": lambda seed: Shuffled(dataset_of_sizes(UNEVEN), batch_size=16, seed=seed),
    "shuffled, last dropped": lambda seed: Shuffled(dataset_of_sizes(UNEVEN), batch_size=16, seed=seed, drop_last=True),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Make:
    return MAKERS[request.param]


def test_a_batch_is_a_pure_function_of_the_step_in_any_order(make: Make) -> None:
    expected = [rows.tolist() for rows in drawn(make(0), 20)]
    steps = list(range(20)) * 2
    random.Random(0).shuffle(steps)
    used = make(0)
    assert [used.batch(step).tolist() for step in steps] == [expected[step] for step in steps]
    for step in (19, 7):
        assert make(0).batch(step).tolist() == expected[step]


def test_changing_a_batch_does_not_change_later_ones(make: Make) -> None:
    used = make(0)
    for step in range(20):
        used.batch(step).fill_(0)
        assert torch.equal(used.batch(step), make(0).batch(step))


def test_batches_follow_their_own_generator(make: Make) -> None:
    expected = [rows.tolist() for rows in drawn(make(0), 10)]
    torch.manual_seed(123)
    np.random.seed(123)  # noqa: NPY002
    random.seed(123)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    assert [rows.tolist() for rows in drawn(make(0), 10)] == expected
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert random.getstate() == before[2]


def test_seeds_give_different_batches(make: Make) -> None:
    assert len({tuple(make(seed).batch(0).tolist()) for seed in range(6)}) == 6


def test_passes_give_different_orders(make: Make) -> None:
    used = make(0)
    epochs = [
        tuple(torch.cat([used.batch(epoch * used.steps_per_epoch + k) for k in range(2)]).tolist())
        for epoch in range(4)
    ]
    assert len(set(epochs)) == 4
