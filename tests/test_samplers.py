from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from fairdistill.data import GroupedDataset
from fairdistill.errors import DataError, UsageError
from fairdistill.samplers import Balanced, BalancedBatchSampler, Sampler, Shuffled, check_cells
from tests.data.making import dataset, dataset_of_sizes

UNEVEN = [[7, 3], [1, 20], [4, 4]]
TWELVE_CELLS = [[5, 1, 2], [9, 3, 3], [2, 2, 17], [1, 1, 1]]


def cells_of(data: GroupedDataset, rows: Tensor) -> Tensor:
    """Rows drawn from each cell, int64 [cells]; the last entry is the unknown group."""
    cell = data.labels[rows] * data.num_groups + data.groups[rows]
    cells = data.num_classes * data.num_groups
    return torch.bincount(torch.where(data.groups[rows] < 0, cells, cell), minlength=cells + 1)


def drawn(sampler: Sampler, steps: int) -> list[Tensor]:
    return [sampler.batch(step) for step in range(steps)]


@pytest.mark.parametrize(("batch_size", "quota"), [(6, 1), (11, 1), (13, 2), (18, 3), (128, 21)])
@pytest.mark.parametrize("seed", [0, 9])
def test_every_balanced_batch_holds_its_quota_of_each_cell(batch_size: int, quota: int, seed: int) -> None:
    data = dataset_of_sizes(UNEVEN)
    sampler = Balanced(data, batch_size=batch_size, seed=seed)
    assert sampler.batch_size == 6 * quota <= batch_size
    for rows in drawn(sampler, 3 * sampler.steps_per_epoch):
        assert rows.dtype == torch.int64
        assert cells_of(data, rows).tolist() == [quota] * 6 + [0]


@pytest.mark.parametrize("batch_size", [6, 13, 60, 4])  # the last has more cells than rows
def test_rows_of_a_cell_repeat_evenly_at_any_time(batch_size: int) -> None:
    data = dataset_of_sizes(UNEVEN, unknown=[2, 0, 5])
    sampler = Balanced(data, batch_size=batch_size, seed=3)
    seen = torch.zeros(len(data), dtype=torch.int64)
    for rows in drawn(sampler, 5 * sampler.steps_per_epoch):
        seen += torch.bincount(rows, minlength=len(data))
        for label in range(3):
            for group in (0, 1):
                of_cell = seen[(data.labels == label) & (data.groups == group)]
                assert of_cell.max() - of_cell.min() <= 1
        unknown = seen[data.groups == -1]
        assert unknown.max() - unknown.min() <= 1
    assert seen.min() >= 5


@pytest.mark.parametrize(
    ("sizes", "batch_size", "steps"),
    [
        (UNEVEN, 6, 20),
        (UNEVEN, 13, 10),
        (UNEVEN, 18, 7),  # ceil(20 / 3)
        (UNEVEN, 1000, 1),
        ([[10, 10]], 2, 10),
        (UNEVEN, 4, 30),  # six cells take turns on four places: 20 * 6 / 4
        (TWELVE_CELLS, 5, 41),  # ceil(17 * 12 / 5)
        (TWELVE_CELLS, 1, 204),
    ],
)
def test_an_epoch_ends_when_the_largest_cell_was_seen_once(sizes: list[list[int]], batch_size: int, steps: int) -> None:
    data = dataset_of_sizes(sizes)
    sampler = Balanced(data, batch_size=batch_size, seed=0)
    assert sampler.steps_per_epoch == steps
    cell = int(data.cell_counts().flatten().argmax())
    label, group = divmod(cell, data.num_groups)
    rows = set(((data.labels == label) & (data.groups == group)).nonzero().flatten().tolist())
    batches = [set(rows.tolist()) for rows in drawn(sampler, steps)]
    assert rows <= set().union(*batches)
    # With turns, the largest cell may have its last one up to a round of turns before the end.
    slack = data.cell_counts().numel() // (batch_size + 1)
    assert not rows <= set().union(*batches[: max(0, steps - 1 - slack)])


def test_sizes_of_cifar10s_give_the_papers_batches_of_120() -> None:
    data = dataset_of_sizes([[4000, 1000]] * 5 + [[1000, 4000]] * 5)
    sampler = Balanced(data, batch_size=128, seed=0)
    assert sampler.batch_size == 120
    assert sampler.steps_per_epoch == 667  # ceil(4000 / 6)
    assert cells_of(data, sampler.batch(1000)).tolist() == [6] * 20 + [0]


@pytest.mark.parametrize("batch_size", [1, 4, 5, 7, 11])
def test_if_cells_outnumber_rows_no_window_of_batches_favours_a_cell(batch_size: int) -> None:
    data = dataset_of_sizes(TWELVE_CELLS)
    sampler = Balanced(data, batch_size=batch_size, seed=0)
    assert sampler.batch_size == batch_size
    steps = 40
    counts = torch.stack([cells_of(data, rows)[:12] for rows in drawn(sampler, steps)])
    assert (counts.sum(1) == batch_size).all()
    before = torch.cat([torch.zeros(1, 12, dtype=torch.int64), counts.cumsum(0)])
    windows = (before[None] - before[:, None])[torch.triu_indices(steps + 1, steps + 1, 1).unbind()]
    assert (windows.amax(1) - windows.amin(1)).max() <= 1


@pytest.mark.parametrize(
    ("sizes", "unknown", "batch_size"),
    [
        ([[60, 20], [20, 60]], [20, 20], 40),  # a fifth: 8 and 4 x 8
        ([[5, 5], [5, 5]], [40, 40], 20),  # four fifths: 16 and 4 x 1
        ([[500, 500], [500, 500]], [1, 0], 32),  # one row in 2,001 still comes
        ([[6, 6]] * 10, [8] * 10, 64),  # two fifths
        ([[6, 6]] * 10, [2] * 10, 64),  # a seventh
    ],
)
def test_rows_of_unknown_group_keep_their_share(sizes: list[list[int]], unknown: list[int], batch_size: int) -> None:
    data = dataset_of_sizes(sizes, unknown=unknown)
    sampler = Balanced(data, batch_size=batch_size, seed=0)
    share = sum(unknown) / len(data)
    for rows in drawn(sampler, 5):
        assert len(rows) == sampler.batch_size <= batch_size
        *known, of_unknown = cells_of(data, rows).tolist()
        assert len(set(known)) == 1
        assert of_unknown >= 1
        assert abs(of_unknown - share * len(rows)) <= 1, f"{of_unknown} of {len(rows)}, but a share of {share:.3f}"


def test_the_smallest_batch_holds_a_row_of_known_and_one_of_unknown_group() -> None:
    data = dataset_of_sizes(UNEVEN, unknown=[3, 0, 0])
    sampler = Balanced(data, batch_size=2, seed=0)
    assert [len(rows) for rows in drawn(sampler, 4)] == [2] * 4


@pytest.mark.parametrize(("batch_size", "unknown"), [(0, []), (1, [3, 0, 0])])
def test_a_batch_without_room_is_refused_with_the_way_out(batch_size: int, unknown: list[int]) -> None:
    with pytest.raises(UsageError, match=rf"batch of {batch_size} is too small .*--batch-size"):
        Balanced(dataset_of_sizes(UNEVEN, unknown=unknown), batch_size=batch_size, seed=0)


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


EMPTY = [[3, 0], [2, 2], [0, 4]]
EMPTY_TEXT = (
    r"made/train has empty subgroups \(class, group\): \(class 0, group 1\), \(class 2, group 0\); "
    r"nothing can be learned"
)


def test_empty_cells_are_a_warning_and_the_others_are_balanced() -> None:
    data = dataset_of_sizes(EMPTY)
    with pytest.warns(UserWarning, match=EMPTY_TEXT):
        sampler = Balanced(data, batch_size=9, seed=0)
    assert sampler.batch_size == 8
    assert sampler.steps_per_epoch == 2
    for rows in drawn(sampler, 5):
        assert cells_of(data, rows).tolist() == [2, 0, 2, 2, 0, 2, 0]


def test_empty_cells_are_an_error_when_strict() -> None:
    with pytest.raises(DataError, match=EMPTY_TEXT):
        Balanced(dataset_of_sizes(EMPTY), batch_size=9, seed=0, strict_cells=True)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("sizes", "unknown", "message"),
    [
        ([[3, 4], [0, 0]], [], "no samples of class 'class 1'; add some, or remove that class"),
        ([[3, 0], [4, 0]], [], "no samples of group 'group 1'; add some, or remove that group"),
        ([[3, 0], [4, 0]], [5, 5], "no samples of group 'group 1'"),
        ([[0, 0], [0, 0]], [5, 5], "no samples of "),
    ],
    ids=["class", "group", "group beside unknown", "all unknown"],
)
def test_an_absent_class_or_group_is_an_error(
    sizes: list[list[int]], unknown: list[int], message: str, strict: bool
) -> None:
    data = dataset_of_sizes(sizes, unknown=unknown)
    with pytest.raises(DataError, match=message):
        Balanced(data, batch_size=8, seed=0, strict_cells=strict)


def test_full_cells_pass_the_check_in_silence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_cells(dataset_of_sizes(UNEVEN), strict=True)
        check_cells(dataset_of_sizes(UNEVEN, unknown=[1, 1, 1]))


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
    assert list(BalancedBatchSampler(LABELS, GROUPS, 12, seed=1)) != of_lists


@pytest.mark.parametrize(
    ("labels", "groups", "batch_size", "message"),
    [
        ([0, 1], [0], 4, r"vectors of the same length, but got shapes \(2,\) and \(1,\)"),
        ([0, 1], [-1, -1], 4, "at least one known group, but all are -1"),
        ([], [], 4, "at least one known group"),
        ([0, 1], [0, -1], 1, "a batch of 1 is too small"),
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
