from __future__ import annotations

import numpy as np

from fairdistill.fixing.search.corrections import corrections
from fairdistill.predictions import Predictions


def of_people(people: int, images: int) -> Predictions:
    """Every person has images of both classes and both groups, and starts with a subgroup of their own."""
    draw = np.random.default_rng(0)
    rows = people * images
    turn = np.arange(rows) + np.arange(rows) // images
    labels, groups = turn % 2, turn // 2 % 2
    second = np.clip(0.5 + (labels - 0.5) * 0.6 + draw.normal(0, 0.25, rows), 0.01, 0.99)
    return Predictions(
        where="made", ids=None, sources=np.arange(rows) // images, labels=labels, groups=groups,
        predicted=(second >= 0.5).astype(np.int64), probabilities=np.stack([1 - second, second], axis=1),
        class_names=("no", "yes"), group_names=("x", "y"),
    )  # fmt: skip


def test_two_people_with_many_images_are_one_half_each():
    found, notes = corrections(of_people(2, 40))
    assert notes == []
    assert [each.name for each in found] == ["group logit adjustment", "group thresholds"]


def test_a_subgroup_that_only_one_half_has_is_named():
    given = of_people(2, 40)
    rows = np.flatnonzero((given.labels != 1) | (given.groups != 1) | (given.sources == 0))
    found, notes = corrections(given.take(rows))
    assert found == []
    assert len(notes) == 2
    for note in notes:
        assert note.endswith("needs samples of every subgroup in both, and there are too few of (yes, y)")
