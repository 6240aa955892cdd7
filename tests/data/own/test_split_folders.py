"""Folders that seem to be splits, but are not where or called as expected, are never read as classes or groups."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from fairdistill.data.own.split_folders import splits_of_folders, unused_splits
from fairdistill.errors import DataError


def splits(names: list[str], **split_map: str) -> list[int] | None:
    found = splits_of_folders(Path("faces"), [tuple(name.split("/")) for name in names], split_map)
    return None if found is None else found.tolist()


def below(*folders: str) -> list[str]:
    return [f"{folder}/{label}/{group}/1.png" for folder in folders for label in ("oak", "ash") for group in "xy"]


def test_splits_are_at_the_top():
    assert splits(below("Train", "valid", "TESTING")) == np.repeat([0, 1, 2], 4).tolist()
    assert splits(below("training_set", "holdout"), training_set="train", holdout="test") == [0] * 4 + [2] * 4
    assert splits(["oak/x/1.png", "ash/y/2.png"]) is None


@pytest.mark.parametrize(
    ("folders", "remedy"),
    [
        (("training_set", "test_set"), "--split-map test_set=test --split-map training_set=train"),
        (("seg_train", "seg_test", "seg_pred"), "--split-map seg_pred=test --split-map seg_test=test"),
        (("Training", "Testing", "extra faces"), "--split-map 'extra faces'=test"),
        (("train-2017", "val-2017"), "--split-map train-2017=train --split-map val-2017=val"),
    ],
)
def test_names_that_speak_of_splits_are_not_read_as_classes(folders, remedy):
    with pytest.raises(DataError, match=re.escape(remedy)):
        splits(below(*folders))


@pytest.mark.parametrize(
    "names",
    [
        ["oak/train/1.png", "oak/test/2.png", "ash/train/3.png", "ash/test/4.png"],
        ["oak/x/Training/1.png", "oak/x/Validation/2.png", "ash/y/Training/3.png"],
        ["train/train/oak/x/1.png", "test/test/ash/y/2.png"],
    ],
)
def test_splits_below_the_top_are_not_read_as_classes_or_groups(names):
    with pytest.raises(DataError, match=r"seem to be splits, but they are inside faces/.*put them at the top$"):
        splits(names)


def test_the_one_folder_that_holds_the_splits_is_named():
    with pytest.raises(DataError, match=r"or pass faces/v2$"):
        splits([f"v2/{name}" for name in below("train", "test")])


@pytest.mark.parametrize("names", [["test tube", "beaker"], ["bullet train", "train station"], ["latest", "restrain"]])
def test_classes_that_share_a_word_with_a_split_are_classes(names):
    assert splits(below(*names)) is None


def test_splits_in_the_paths_of_a_table_without_splits_are_noted():
    (note,) = unused_splits(["faces/train/1.jpg", "faces/train/2.jpg", "faces/val/1.jpg"])
    assert "The folders 'train' and 'val' in the paths of images seem to be splits" in note
    assert "add a column 'split'" in note
    assert unused_splits(["train/1.jpg", "train/2.jpg"]) == []
    assert unused_splits(["oak/1.jpg", "train.jpg", "test.jpg", "row 1"]) == []
