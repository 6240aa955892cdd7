"""Several attributes as one class: combinations of answers, in one table and in two."""

from __future__ import annotations

import numpy as np
import torch

from fairdistill import data
from fairdistill.data.attributes import combined, matched
from tests.training.attributes import NAMES, OPTIONS, draw_attributes

PAIRS = [("no", "yes")] * 2


def test_only_combinations_that_occur_are_classes():
    labels, found = combined(["a", "b"], PAIRS, [np.array([1, 0, 1, 1]), np.array([1, 0, 1, 0])])
    assert found.class_names == ("(none)", "a", "a, b")
    assert labels.tolist() == [2, 0, 2, 1]
    assert found.yes[labels].tolist() == [[1, 1], [0, 0], [1, 1], [1, 0]]


def test_the_classes_of_two_tables_are_joined_and_the_firsts_keep_their_places():
    _, own = combined(["a", "b"], PAIRS, [np.array([1, 0]), np.array([1, 0])])
    labels, other = combined(["a", "b"], PAIRS, [np.array([0, 1]), np.array([1, 1])])
    both, place = matched(own, other)
    assert both.class_names == ("(none)", "a, b", "b")
    assert [both.class_names[at] for at in place[labels]] == ["b", "a, b"]


def test_a_data_set_is_one_of_two_classes_for_each_attribute(tmp_path):
    parts = data.load_splits(draw_attributes(tmp_path), image_cache=str(tmp_path / "cache"), **OPTIONS)
    train = parts["train"]
    assert train.attributes is not None
    assert (train.num_outputs, train.of_outputs().class_names) == (3, NAMES)
    bright, striped, spot = train.of_attributes()
    assert bright.labels.tolist() == [number % 2 for number in range(48)]
    assert (bright.class_names, striped.class_names, spot.class_names) == (
        ("no", "yes"),
        ("0", "1"),
        ("plain", "marked"),
    )
    assert torch.equal(spot.labels, torch.arange(48) // 4 % 2)
    some = train.subset(torch.tensor([4, 0]))
    assert [each.labels.tolist() for each in some.of_attributes()] == [[0, 0], [0, 0], [1, 0]]
    turned = data.load(
        draw_attributes(tmp_path),
        "train",
        image_cache=str(tmp_path / "cache"),
        **{**OPTIONS, "yes_value": {"spot": "plain"}},
    )
    assert turned.digest() != train.digest()


def test_one_label_is_its_own_only_attribute():
    digits = data.load("digits-s", "test")
    assert digits.of_attributes() == (digits,)
    assert digits.of_outputs() is digits
    assert digits.num_outputs == 10


def test_a_split_that_is_drawn_keeps_rare_combinations_in_proportion(tmp_path):
    table = draw_attributes(tmp_path, train=80, test=0)
    whole = data.load(table, "train", image_cache=str(tmp_path / "cache"), **{**OPTIONS, "split": None})
    assert whole.attributes is not None
    yes = np.eye(80, dtype=np.int64)  # every image is a combination of its own
    alone = type(whole.attributes)(tuple(map(str, range(80))), tuple([("no", "yes")] * 80), yes)
    names = alone.class_names
    lonely = type(whole)(**{**vars(whole), "labels": torch.arange(80), "class_names": names, "attributes": alone})
    train, validation = data.cut_validation(lonely, split_seed=0, fraction=0.1)
    assert (len(train), len(validation)) == (72, 8)
    assert validation.groups.bincount().tolist() == [round(n / 10) for n in whole.groups.bincount().tolist()]
