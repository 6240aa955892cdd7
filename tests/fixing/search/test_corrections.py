from __future__ import annotations

import numpy as np
import pytest

from fairdistill.choosing import measures_of_predictions
from fairdistill.fixing.search import corrections as room
from fairdistill.fixing.search.corrections import corrections
from fairdistill.predictions import Predictions
from fairdistill.predictions.corrected import FittedCorrection
from tests.predictions.biased import biased


@pytest.mark.parametrize(("classes", "names"), [
    (2, ["group thresholds", "group logit adjustment"]), (3, ["group logit adjustment"]),
])  # fmt: skip
def test_corrections_shrink_the_gap_and_need_the_group(classes, names):
    before = biased(classes=classes, rows=2400, shift=2.0)
    found, notes = corrections(before)
    assert ([each.name for each in found], notes) == (names, [])
    for each in found:
        assert each.needs_group
        assert each.measures["deo_a"] < measures_of_predictions(before)["deo_a"] / 2
        assert each.adjust(before).predicted.tolist() == each.adjust(before).predicted.tolist()


def test_a_subgroup_without_samples_is_named() -> None:
    few = biased()
    few = few.take(np.flatnonzero((few.labels == 0) | (few.groups == 0)))
    found, notes = corrections(few)
    assert found == []
    assert len(notes) == 2
    assert all("has no samples of b in group y; " in note for note in notes)


def test_what_a_correction_promises_comes_from_rows_it_was_not_fitted_on(monkeypatch):
    before, fitted_on = biased(), []

    def fit(part):
        fitted_on.append(set(part.sources.tolist()))
        own = fitted_on[-1]

        def decide(seen):
            assert len(fitted_on) == 1 or not own & set(seen.sources.tolist())
            return seen.predicted

        return FittedCorrection(decide, thresholds=(0.5, 0.5))

    monkeypatch.setattr(room, "correction_fits", lambda _: {"group thresholds": fit})
    corrections(before)
    whole, first, second = fitted_on[:3]
    assert whole == first | second
    assert not first & second
    assert abs(len(first) - len(second)) <= 4


def test_rows_of_one_picture_are_fitted_on_together(monkeypatch):
    sources = np.repeat(np.arange(120), 2)
    before = biased()
    object.__setattr__(before, "sources", sources)
    parts = []

    def fit(part):
        parts.append(part.sources.tolist())
        return FittedCorrection(lambda seen: seen.predicted, thresholds=(0.5, 0.5))

    monkeypatch.setattr(room, "correction_fits", lambda _: {"group thresholds": fit})
    corrections(before)
    assert all(part.count(source) == 2 for part in parts for source in set(part))


def test_a_correction_that_cannot_be_fitted_is_left_out_and_named():
    groups = np.where(np.arange(240) % 2 == 0, 0, np.arange(240) // 2 % 2)  # group y has no row of class a
    found, notes = corrections(biased(groups=groups))
    assert found == []
    assert len(notes) == 2
    assert "group thresholds was not tried: " in notes[0]


def test_a_correction_says_how_to_decide_with_it():
    found, _ = corrections(biased(classes=2, rows=2400, shift=2.0))
    thresholds, offsets = found
    assert {group: sorted(of_class) for group, of_class in offsets.settings["offsets"].items()} == {
        "x": ["a", "b"], "y": ["a", "b"],
    }  # fmt: skip
    of_group = thresholds.settings["thresholds"]
    assert (
        f"decide 'b' if its probability is above {of_group['x']:.4g} for x, {of_group['y']:.4g} for y" in thresholds.use
    )


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
    assert [each.name for each in found] == ["group thresholds", "group logit adjustment"]


def test_a_subgroup_that_only_one_half_has_is_named():
    given = of_people(2, 40)
    rows = np.flatnonzero((given.labels != 1) | (given.groups != 1) | (given.sources == 0))
    found, notes = corrections(given.take(rows))
    assert found == []
    assert len(notes) == 2
    for note in notes:
        assert note.endswith("needs samples of every subgroup in both, and there are too few of (yes, y)")
