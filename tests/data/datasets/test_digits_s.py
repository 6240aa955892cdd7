from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from fairdistill.data import GroupedDataset, load
from fairdistill.data.datasets import digits_s
from fairdistill.errors import UsageError

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def splits() -> dict[str, GroupedDataset]:
    return {split: load("digits-s", split) for split in SPLITS}


def numbers(data: GroupedDataset) -> Tensor:
    """Which of scikit-learn's digits each row is made from."""
    return torch.tensor([int(source.removeprefix("digit-")) for source in data.source_ids])


@pytest.mark.parametrize(("split", "rows", "pictures"), [("train", 1000, 1000), ("val", 400, 200), ("test", 1194, 597)])
def test_rows_pictures_and_shapes(splits: dict[str, GroupedDataset], split: str, rows: int, pictures: int) -> None:
    data = splits[split]
    assert len(data) == len(set(data.ids)) == rows
    assert len(set(data.source_ids)) == pictures
    assert data.images.shape == (rows, 3, data.recipe.size, data.recipe.size)
    assert (data.num_classes, data.num_groups, data.num_unknown_groups) == (10, 2, 0)
    assert data.group_names == ("grey", "colour")
    assert not data.recipe.flip  # a mirrored digit is another digit, or none


def test_no_picture_is_in_two_splits_and_none_is_left_out(splits: dict[str, GroupedDataset]) -> None:
    sources = [set(splits[split].source_ids) for split in SPLITS]
    assert sum(map(len, sources)) == len(set().union(*sources)) == 1797


@pytest.mark.parametrize("split", SPLITS)
def test_classes_are_those_of_the_pictures(splits: dict[str, GroupedDataset], split: str) -> None:
    data = splits[split]
    assert data.labels.tolist() == load_digits().target[numbers(data)].tolist()


def test_the_pictures_are_those_of_scikit_learn_which_is_not_imported_for_them() -> None:
    code = (
        "import sys; from fairdistill.data.datasets import digits_s; digits_s._handwritten(); "
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    images, digits = digits_s._handwritten()
    np.testing.assert_array_equal(images, load_digits().images)
    np.testing.assert_array_equal(digits, load_digits().target)


def test_where_scikit_learn_keeps_its_file_elsewhere_it_is_asked_for_the_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digits_s, "find_spec", lambda _name: None)
    images, digits = digits_s._handwritten.__wrapped__()
    np.testing.assert_array_equal(images, load_digits().images)
    np.testing.assert_array_equal(digits, load_digits().target)


@pytest.mark.parametrize("split", ["val", "test"])
def test_both_groups_of_val_and_test_are_the_same_digits(splits: dict[str, GroupedDataset], split: str) -> None:
    data = splits[split]
    half = len(data) // 2
    assert data.groups.tolist() == [0] * half + [1] * half
    assert data.source_ids[:half] == data.source_ids[half:]
    assert torch.equal(data.labels[:half], data.labels[half:])
    counts = data.cell_counts()
    assert torch.equal(counts[:, 0], counts[:, 1])


@pytest.mark.parametrize("skew", [0.0, 0.5, 0.8, 0.95, 1.0])
def test_training_cells_have_the_size_that_skew_says(splits: dict[str, GroupedDataset], skew: float) -> None:
    counts = load("digits-s", "train", skew=skew).cell_counts()
    share_grey = torch.tensor([skew] * 5 + [1 - skew] * 5)
    of_class = counts.sum(1)
    assert torch.equal(of_class, splits["train"].cell_counts().sum(1))
    assert ((counts[:, 0] - share_grey * of_class).abs() <= 0.5 + 1e-4).all()


def test_the_default_skew_is_0_95(splits: dict[str, GroupedDataset]) -> None:
    assert splits["train"].digest() == load("digits-s", "train", skew=0.95, data_seed=0).digest()


@pytest.mark.parametrize("split", SPLITS)
def test_grey_rows_have_equal_channels_and_coloured_rows_do_not(splits: dict[str, GroupedDataset], split: str) -> None:
    data = splits[split]
    is_grey = (data.images == data.images[:, :1]).flatten(1).all(1)
    assert torch.equal(is_grey, data.groups == 0)


@pytest.mark.parametrize("split", SPLITS)
def test_ink_is_lighter_than_paper_in_every_row(splits: dict[str, GroupedDataset], split: str) -> None:
    data = splits[split]
    small = torch.from_numpy(load_digits().images)[numbers(data)]
    ink = torch.nn.functional.interpolate(small[:, None], scale_factor=2, mode="bilinear").flatten(1)
    brightness = data.images.amax(1).flatten(1)  # the largest channel: V of HSV
    darkest_ink, most_ink = ink.argmin(1, keepdim=True), ink.argmax(1, keepdim=True)
    assert (ink.gather(1, darkest_ink) == 0).all(), "every picture has a pixel of bare paper"
    assert (brightness.gather(1, most_ink) > brightness.gather(1, darkest_ink)).all()


@pytest.mark.parametrize("split", SPLITS)
def test_all_bare_paper_of_a_row_has_one_colour_and_rows_differ(splits: dict[str, GroupedDataset], split: str) -> None:
    data = splits[split]
    bare = torch.from_numpy(load_digits().images)[numbers(data)] == 0
    # A pixel of the enlarged image is bare paper for sure where its 3x3 neighbourhood of 8x8 pixels has no ink.
    clear = -torch.nn.functional.max_pool2d(-bare[:, None].float(), 3, stride=1, padding=1)
    paper = torch.nn.functional.interpolate(clear, scale_factor=2).bool().flatten(1)
    low = data.images.flatten(2).masked_fill(~paper[:, None], 255).amin(2)
    high = data.images.flatten(2).masked_fill(~paper[:, None], 0).amax(2)
    some = paper.any(1)
    assert some.float().mean() > 0.5
    assert torch.equal(low[some], high[some])
    for group in (0, 1):
        assert len(low[some & (data.groups == group)].unique(dim=0)) > 20


@pytest.mark.parametrize("split", SPLITS)
def test_data_seed_changes_colours_and_training_groups_and_nothing_else(
    splits: dict[str, GroupedDataset], split: str
) -> None:
    first, second = splits[split], load("digits-s", split, data_seed=1)
    assert first.ids == second.ids
    assert first.source_ids == second.source_ids
    assert torch.equal(first.labels, second.labels)
    assert torch.equal(first.cell_counts(), second.cell_counts())
    assert torch.equal(first.groups, second.groups) == (split != "train")
    assert (first.images != second.images).flatten(1).any(1).float().mean() > 0.95
    assert second.digest() == load("digits-s", split, data_seed=1).digest()


@pytest.mark.parametrize("split", SPLITS)
def test_skew_changes_training_groups_and_nothing_else(splits: dict[str, GroupedDataset], split: str) -> None:
    first, second = splits[split], load("digits-s", split, skew=0.6)
    assert first.ids == second.ids
    assert torch.equal(first.labels, second.labels)
    assert torch.equal(first.groups, second.groups) == (split != "train")
    same = first.groups == second.groups
    assert torch.equal(first.images[same], second.images[same])
    assert (first.images[~same] != second.images[~same]).flatten(1).any(1).all()


@pytest.mark.parametrize(("one", "other"), [("train", "val"), ("train", "test"), ("val", "test")])
def test_splits_of_one_seed_have_colours_of_their_own(splits: dict[str, GroupedDataset], one: str, other: str) -> None:
    first, second = splits[one], splits[other]
    grey = (first.groups[:200] == 0) & (second.groups[:200] == 0)
    corners = [data.images[:200, 0, 0, 0][grey] for data in (first, second)]
    assert (corners[0] == corners[1]).float().mean() < 0.3


@pytest.mark.parametrize(
    "option",
    [{"skew": -0.01}, {"skew": 1.01}, {"skew": float("nan")}, {"data_seed": -1}, {"data_seed": 2**32}],
)
def test_options_out_of_range_are_named(option: dict[str, float]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(UsageError, match=rf"expected {name} to lie in .* but got {value}"):
        load("digits-s", "train", **option)
