from __future__ import annotations

import numpy as np

from fairdistill.data.rows import Rows
from fairdistill.data.shared import shared_sources, source_ids


def array(text: str) -> np.ndarray:
    return np.array([part.strip("-") for part in text.split()], object)


def rows(sources: str, splits: list[int]) -> Rows:
    n = len(splits)
    return Rows(
        names=np.array([f"{row}.png" for row in range(n)], object), labels=np.zeros(n, np.int64),
        groups=np.zeros(n, np.int64), splits=np.array(splits), class_names=("a", "b"), group_names=("x", "y"),
        sources=array(sources),
    )  # fmt: skip


def test_pictures_and_sources_are_joined():
    found = source_ids(array("a a b c d d"), array("- p p q - -"))
    assert found.tolist() == ["p", "p", "p", "q", "d", "d"]
    assert source_ids(array("a a b"), None).tolist() == ["a", "a", "b"]


def test_a_chain_of_copies_and_people_is_one_source():
    assert source_ids(array("a b b c c d"), array("p p q q r s")).tolist() == ["p", "p", "p", "p", "p", "s"]


def test_sources_in_several_splits_are_counted():
    (note,) = shared_sources(rows("p q p q r - -", [0, 0, 2, 1, 0, 0, 2]))
    assert note.startswith("2 of 3 sources are in more than one split (for example 'p' in train and test)")
    assert "'p' in train, val and test" in shared_sources(rows("p p p", [0, 1, 2]))[0]
    assert shared_sources(rows("p q p", [0, 2, 0])) == ()
    assert shared_sources(rows("p q p", [-1, -1, -1])) == ()
