from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
import torch

from fairdistill.data import GroupedDataset
from fairdistill.errors import DataError
from tests.data.making import dataset, dataset_of_sizes


@pytest.fixture
def four() -> GroupedDataset:
    return dataset([0, 1, 1, 0], [0, 1, -1, 1], sources=["a", "b", "c", "c"])


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "class too large": (
        {"labels": torch.tensor([0, 1, 2, 9])},
        r"row 2 \(id-2\) has label 2, .* from 0 to 1",
    ),
    "class unknown": (
        {"labels": torch.tensor([0, 1, 1, -1])},
        r"row 3 \(id-3\) has label -1, .* from 0 to 1",
    ),
    "group too large": (
        {"groups": torch.tensor([0, 2, 0, 0])},
        r"row 1 \(id-1\) has group 2, .* from -1 to 1",
    ),
    "group too small": (
        {"groups": torch.tensor([-2, 0, 0, 0])},
        r"row 0 \(id-0\) has group -2, .* from -1 to 1",
    ),
    "too few labels": ({"labels": torch.tensor([0])}, "expected 4 labels, one for each image, but got 1"),
    "too few groups": ({"groups": torch.tensor([0])}, "expected 4 groups, .* but got 1"),
    "too few ids": ({"ids": ("a",)}, "expected 4 ids, .* but got 1"),
    "too few sources": ({"source_ids": ("a",)}, "expected 4 source_ids, .* but got 1"),
    "float images": ({"images": torch.zeros(4, 3, 4, 5)}, r"expected uint8 images, but got torch\.float32"),
    "int32 labels": (
        {"labels": torch.zeros(4, dtype=torch.int32)},
        r"expected int64 labels, but got torch\.int32",
    ),
    "float groups": ({"groups": torch.zeros(4)}, r"expected int64 groups, but got torch\.float32"),
}


@pytest.mark.parametrize("case", INVALID)
def test_what_does_not_fit_is_named_with_its_row(four: GroupedDataset, case: str) -> None:
    change, message = INVALID[case]
    with pytest.raises(DataError, match=f"made/train: {message}"):
        replace(four, **change)


def test_it_is_shown_in_a_line(four: GroupedDataset) -> None:
    assert (
        repr(four) == f"GroupedDataset('{four.name}': 4 images, {four.num_classes} classes, {four.num_groups} groups)"
    )


def test_a_dataset_cannot_be_changed(four: GroupedDataset) -> None:
    with pytest.raises(FrozenInstanceError):
        four.labels = four.groups  # type: ignore[misc]


@pytest.mark.parametrize(("index", "row"), [(0, 0), (2, 2), (3, 3), (-1, 3), (-4, 0)])
def test_indexing_gives_the_row(four: GroupedDataset, index: int, row: int) -> None:
    image, label, group, at = four[index]
    assert torch.equal(image, four.images[row])
    assert image.dtype == torch.uint8
    assert (label, group, at) == ([0, 1, 1, 0][row], [0, 1, -1, 1][row], row)
    assert all(type(value) is int for value in (label, group, at))


@pytest.mark.parametrize("index", [4, -5, 100])
def test_indexing_outside_names_the_row(four: GroupedDataset, index: int) -> None:
    with pytest.raises(IndexError, match=f"row {index} is out of range: made/train has 4 rows"):
        four[index]


def test_iteration_gives_every_row_and_ends(four: GroupedDataset) -> None:
    assert [row[3] for row in four] == [0, 1, 2, 3]


def test_cells_are_counted_by_class_and_group_without_unknown_rows(four: GroupedDataset) -> None:
    assert four.cell_counts().tolist() == [[1, 1], [0, 1]]
    assert four.cell_counts().dtype == torch.int64
    assert four.num_unknown_groups == 1
    sizes = [[3, 0, 2], [1, 4, 0]]
    assert dataset_of_sizes(sizes, unknown=[5, 0]).cell_counts().tolist() == sizes


def test_a_dataset_of_unknown_groups_alone_has_empty_cells() -> None:
    assert dataset([0, 1], [-1, -1]).cell_counts().tolist() == [[0, 0], [0, 0]]


def test_full_cells_pass_the_check_in_silence() -> None:
    uneven = [[7, 3], [1, 20], [4, 4]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset_of_sizes(uneven).check_cells(strict=True)
        dataset_of_sizes(uneven, unknown=[1, 1, 1]).check_cells()


def test_subset_takes_the_rows_in_the_order_given(four: GroupedDataset) -> None:
    part = four.subset(torch.tensor([3, 0, 3]))
    assert torch.equal(part.images, four.images[[3, 0, 3]])
    assert part.labels.tolist() == [0, 0, 0]
    assert part.groups.tolist() == [1, 0, 1]
    assert part.ids == ("id-3", "id-0", "id-3")
    assert part.source_ids == ("c", "a", "c")
    assert (part.name, part.recipe, part.num_classes) == (four.name, four.recipe, 2)
    assert four.subset(torch.tensor([0]), name="other").name == "other"


def test_subset_of_no_rows_is_a_dataset(four: GroupedDataset) -> None:
    none = four.subset(torch.tensor([], dtype=torch.int64))
    assert len(none) == 0
    assert none.cell_counts().tolist() == [[0, 0], [0, 0]]
    assert none.digest() != four.digest()


def other_pixel(data: GroupedDataset) -> GroupedDataset:
    images = data.images.clone()
    images[3, 2, 3, 4] ^= 1
    return replace(data, images=images)


CHANGES: dict[str, Callable[[GroupedDataset], GroupedDataset]] = {
    "a pixel": other_pixel,
    "the shape": lambda data: replace(data, images=data.images.reshape(4, 3, 25, 1)),
    "a class": lambda data: replace(data, labels=torch.tensor([0, 1, 1, 1])),
    "a group": lambda data: replace(data, groups=torch.tensor([0, 1, 0, 1])),
    "classes and groups": lambda data: replace(data, labels=torch.tensor([0, 1, 0, 1]), groups=data.labels),
    "an id": lambda data: replace(data, ids=("id-0", "id-1", "id-2", "id-9")),
    "a source": lambda data: replace(data, source_ids=("a", "b", "c", "d")),
    "a class name": lambda data: replace(data, class_names=("class 0", "cat")),
    "a group name": lambda data: replace(data, group_names=("group 0", "cat")),
    "a class more": lambda data: replace(data, class_names=("class 0", "class 1", "class 2")),
    "what is a class and what a group": lambda data: replace(
        data, class_names=("class 0", "class 1", "group 0"), group_names=("group 1", "x")
    ),
    "the order": lambda data: data.subset(torch.tensor([1, 0, 2, 3])),
    "the number of rows": lambda data: data.subset(torch.tensor([0, 1, 2])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_digest_changes_with(four: GroupedDataset, change: str) -> None:
    assert CHANGES[change](four).digest() != four.digest()


def test_digest_tells_where_one_name_ends_and_the_next_begins(four: GroupedDataset) -> None:
    names = ("a", "b", "c"), ("d",)
    groups = torch.tensor([0, 0, -1, 0])
    first, second = (
        replace(four, groups=groups, class_names=classes, group_names=rest)
        for classes, rest in (names, (names[0][:2], (names[0][2], *names[1])))
    )
    assert first.digest() != second.digest()


def test_equal_data_has_an_equal_digest(four: GroupedDataset) -> None:
    again = replace(
        four,
        name="other/test",
        images=four.images.clone().contiguous(memory_format=torch.channels_last),
        labels=four.labels.repeat_interleave(2)[::2],
    )
    assert again.digest() == four.digest()
