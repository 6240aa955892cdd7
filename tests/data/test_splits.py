from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from fairdistill.data import GroupedDataset
from fairdistill.data.splits import cut_validation
from tests.data.making import dataset, dataset_of_sizes

SIZES = [[30, 10], [9, 1], [2, 100], [0, 14]]
UNKNOWN = [20, 0, 1, 4]


@pytest.fixture(scope="module")
def mixed() -> GroupedDataset:
    return dataset_of_sizes(SIZES, unknown=UNKNOWN)


def cell_sizes(data: GroupedDataset) -> list[list[int]]:
    """Rows by class and group; the last column is the unknown group."""
    return [
        [int(((data.labels == label) & (data.groups == group)).sum()) for group in (0, 1, -1)]
        for label in range(data.num_classes)
    ]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.1, [[3, 1, 2], [1, 0, 0], [1, 10, 0], [0, 1, 1]]),
        (0.5, [[15, 5, 10], [4, 0, 0], [1, 50, 0], [0, 7, 2]]),
        (0.99, [[29, 9, 19], [8, 0, 0], [1, 99, 0], [0, 13, 3]]),
    ],
)
@pytest.mark.parametrize("split_seed", [0, 5])
def test_every_cell_gives_its_fraction_at_least_one_row_and_never_its_last(
    mixed: GroupedDataset, fraction: float, expected: list[list[int]], split_seed: int
) -> None:
    _, val = cut_validation(mixed, split_seed=split_seed, fraction=fraction)
    assert cell_sizes(val) == expected


def test_the_default_fraction_is_a_tenth(mixed: GroupedDataset) -> None:
    _, val = cut_validation(mixed, split_seed=0)
    assert val.digest() == cut_validation(mixed, split_seed=0, fraction=0.1)[1].digest()


def test_train_and_val_are_all_rows_once_in_the_order_of_the_data(mixed: GroupedDataset) -> None:
    parts = cut_validation(mixed, split_seed=0)
    place = {name: row for row, name in enumerate(mixed.ids)}
    rows = [[place[name] for name in part.ids] for part in parts]
    assert sorted(rows[0] + rows[1]) == list(range(len(mixed)))
    for part, taken in zip(parts, rows, strict=True):
        assert taken == sorted(taken)
        assert part.digest() == mixed.subset(torch.tensor(taken)).digest()
    assert [part.name for part in parts] == ["made/train", "made/val"]


def test_the_draw_follows_split_seed_alone(mixed: GroupedDataset) -> None:
    first = cut_validation(mixed, split_seed=0)[1].ids
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert cut_validation(mixed, split_seed=0)[1].ids == first
    assert torch.equal(torch.get_rng_state(), before)
    assert len({cut_validation(mixed, split_seed=seed)[1].ids for seed in range(8)}) == 8


def test_every_row_of_a_cell_can_be_drawn() -> None:
    data = dataset_of_sizes([[5, 5], [5, 5]])
    drawn = {name for seed in range(60) for name in cut_validation(data, split_seed=seed)[1].ids}
    assert drawn == set(data.ids)


# Rows of one picture: k rows of one cell each, or one row in every group.
def several_in_a_cell() -> GroupedDataset:
    cell = torch.arange(4).repeat_interleave(60)
    return dataset(cell // 2, cell % 2, sources=[f"picture {row // 3}" for row in range(240)])


def one_in_every_group() -> GroupedDataset:
    label, group = torch.arange(2).repeat(120), torch.arange(2).repeat_interleave(120)
    return dataset(label, group, sources=[f"picture {row % 120}" for row in range(240)])


@pytest.mark.parametrize("made", [several_in_a_cell, one_in_every_group])
def test_rows_of_one_picture_stay_together(made: Callable[[], GroupedDataset]) -> None:
    for seed in range(5):
        train, val = cut_validation(made(), split_seed=seed)
        assert val.source_ids
        assert not set(train.source_ids) & set(val.source_ids)
        assert len(train) + len(val) == 240


@pytest.mark.parametrize("made", [several_in_a_cell, one_in_every_group])
def test_cells_give_their_fraction_though_rows_share_a_picture(made: Callable[[], GroupedDataset]) -> None:
    for seed in range(5):
        _, val = cut_validation(made(), split_seed=seed)
        # 6 of 60 rows; pictures of three rows need not fit exactly.
        assert (val.cell_counts() - 6).abs().max() <= 2, f"split_seed {seed}: {val.cell_counts().tolist()}"


SMALL_CELLS = {
    "two rows of one picture": ([1, 1], ["p", "p"]),
    "one row whose picture is in a large cell too": ([1], ["picture 0"]),
}


@pytest.mark.parametrize("case", SMALL_CELLS)
def test_no_cell_gives_all_its_rows_away(case: str) -> None:
    groups, sources = SMALL_CELLS[case]
    data = dataset(
        [0] * 20 + [1] * len(groups), [0] * 20 + groups, sources=[f"picture {k}" for k in range(20)] + sources
    )
    for seed in range(40):
        train, _ = cut_validation(data, split_seed=seed)
        assert train.cell_counts()[1, 1] >= 1, f"split_seed {seed}"


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_fraction_out_of_range_is_named(mixed: GroupedDataset, fraction: float) -> None:
    with pytest.raises(ValueError, match=rf"Expected argument `fraction` to lie in \(0, 1\), but got {fraction}"):
        cut_validation(mixed, split_seed=0, fraction=fraction)


def people(images: int, *, count: int = 40, seed: int = 0) -> GroupedDataset:
    """Each person has several images, of every class and of one group."""
    draw = torch.Generator().manual_seed(seed)
    groups = torch.randint(0, 2, (count,), generator=draw).repeat_interleave(images)
    labels = torch.arange(count * images) % 2
    return dataset(labels, groups, sources=[f"p{row // images}" for row in range(count * images)])


@pytest.mark.parametrize("images", [2, 6, 20])
@pytest.mark.parametrize("split_seed", [0, 1, 2])
def test_a_person_is_in_one_split_and_every_subgroup_in_both(images: int, split_seed: int) -> None:
    train, val = cut_validation(people(images), split_seed=split_seed, fraction=0.2)
    assert not set(train.source_ids) & set(val.source_ids)
    assert (val.cell_counts() > 0).all()
    assert 0.1 < len(val) / (40 * images) < 0.35


def test_somebody_with_most_images_does_not_become_the_validation_set() -> None:
    labels = [row % 2 for row in range(120)]
    groups = [row // 2 % 2 for row in range(120)]
    sources = ["star" if row < 80 else f"p{row // 4}" for row in range(120)]
    for split_seed in range(5):
        _, val = cut_validation(dataset(labels, groups, sources=sources), split_seed=split_seed)
        assert "star" not in val.source_ids
        assert (val.cell_counts() > 0).all()


def test_people_with_more_images_than_validation_needs_are_used_if_there_are_no_others() -> None:
    sources = [f"p{row // 40}" for row in range(120)]
    data = dataset([row % 2 for row in range(120)], [row // 2 % 2 for row in range(120)], sources=sources)
    train, val = cut_validation(data, split_seed=0, fraction=0.05)
    assert (len(train), len(val)) == (80, 40)


def test_a_person_with_images_of_several_subgroups_serves_an_empty_one() -> None:
    draw = torch.Generator().manual_seed(0)
    labels, groups = (torch.randint(0, high, (300,), generator=draw) for high in (5, 2))
    data = dataset(labels, groups, num_classes=5, sources=[f"p{row // 3}" for row in range(300)])
    for split_seed in range(10):
        train, val = cut_validation(data, split_seed=split_seed)
        assert not set(train.source_ids) & set(val.source_ids)
        assert (val.cell_counts() > 0).all(), f"split_seed {split_seed}"
        assert len(val) < 60
