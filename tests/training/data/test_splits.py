from __future__ import annotations

import pytest

from fairdistill.errors import DataError
from fairdistill.training import TrainOptions, make_splits
from tests.data.making import dataset

LABELS, GROUPS = [0, 0, 1, 1] * 4, [0, 1] * 8


def test_people_of_the_test_set_are_not_trained_on_and_validation_has_its_own() -> None:
    train = dataset(LABELS, GROUPS, sources=[f"p{row // 4}" for row in range(16)])
    test = dataset(LABELS[:4], GROUPS[:4], sources=["p3"] * 4)
    parts = make_splits({"train": train, "test": test}, TrainOptions(split_seed=0), None)
    people = [set(part.source_ids) for part in parts]
    assert [len(each) for each in people] == [2, 1, 1]
    assert len(set.union(*people)) == 4
    assert any("4 rows were removed" in note and "image or source" in note for note in parts.train.notes)


def test_a_single_person_cannot_be_split() -> None:
    train, test = (dataset(LABELS, GROUPS, sources=[name] * 16) for name in ("p", "q"))
    with pytest.raises(DataError, match="no subgroup with images of a second picture or person"):
        make_splits({"train": train, "test": test}, TrainOptions(split_seed=0), None)
