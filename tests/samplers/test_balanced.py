from __future__ import annotations

import pytest
import torch

from fairdistill.errors import DataError, UsageError
from fairdistill.samplers import Balanced
from tests.data.making import dataset_of_sizes
from tests.samplers.making import TWELVE_CELLS, UNEVEN, cells_of, drawn


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
    with pytest.raises(UsageError, match=rf"batch of {batch_size} is too small .*make it larger"):
        Balanced(dataset_of_sizes(UNEVEN, unknown=unknown), batch_size=batch_size, seed=0)


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
