"""Other last layers of small networks, whatever these end in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fairdistill.errors import LastLayerError, TeacherError
from fairdistill.fixing.last_layer import heads as room
from fairdistill.fixing.last_layer.heads import try_heads
from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.predictions.trained.model import load_model, predictions_of
from tests.fixing.networks import work_of


@pytest.fixture(autouse=True)
def one_method(monkeypatch):
    monkeypatch.setattr(room, "_METHODS", ("balanced",))


def search_of(factory, folder, **options):
    work = work_of(factory, folder, **options)
    deployed = Candidate(
        name=KEEP, family="deployed", description="your model as it is", validation=work.deployed.validation
    )
    return Search(work, deployed)


@pytest.mark.parametrize("factory", ["two_logits", "one_logit"])
def test_the_gap_shrinks_and_the_file_does_what_was_promised(factory, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room, "_METHODS", ("fair",))
    search = search_of(factory, tmp_path)
    before = search.deployed.measures
    assert before["deo_a"] > 0.2
    try_heads(search)
    best = search.best
    assert best.family in ("head", "line")
    assert best.measures["deo_a"] < before["deo_a"] / 2
    assert search.first_seconds is not None
    assert f"on validation; {best.file}" in capsys.readouterr().err
    work = search.work
    model = load_model(best.source, work.samples.validation, work.runtime)
    again = predictions_of(model, work.samples.validation, where="", runtime=work.runtime)
    own = best.head.head.logits(torch.from_numpy(features(work))).softmax(1).numpy()
    np.testing.assert_allclose(again.probabilities, own, atol=1e-5)
    content = torch.load(best.file, weights_only=True)
    assert content["epoch"] == 3


def features(work):
    return (work.samples.validation.images.flatten(1).float() / 255).numpy()


def test_points_of_the_line_lie_between_its_ends(tmp_path):
    search = search_of("two_logits", tmp_path)
    try_heads(search)
    lines = [each for each in search.points if each.family == "line"]
    assert {each.settings["share"] for each in lines} == {tenth / 10 for tenth in range(1, 10)}
    assert len(lines) == 9 * 2  # fitted on validation and on training images
    assert search.heads == len([each for each in search.points if each.family == "head"])


@pytest.mark.parametrize("source", ["train", "validation"])
def test_only_heads_of_the_more_accurate_source_can_be_chosen(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room, "better_source", lambda _scored: source)
    search = search_of("two_logits", tmp_path)
    try_heads(search)
    assert {each.head.fitted_on for each in search.of("head", "line")} == {source}
    assert {each.settings["fitted_on"] for each in search.points[1:]} == {"train", "validation"}
    other = "validation" if source == "train" else "training"
    assert search.notes[0].startswith(f"Last layers fitted on {other} images were not chosen from")
    last = [line for line in capsys.readouterr().err.splitlines() if " on validation; " in line][-1]
    assert search.best.title in last, "what was announced is not what was left out"


def test_a_layer_without_a_bias_gets_none(tmp_path):
    search = search_of("no_bias", tmp_path)
    try_heads(search)
    for each in search.of("head"):
        assert not each.head.head.bias.any()
        work = search.work
        filed = search.with_file(each)
        load_model(filed.source, work.samples.validation, work.runtime)
        if each.head.fitted_on == "train":
            own = each.head.head.logits(torch.from_numpy(features(work))).argmax(1).numpy()
            assert (own == each.validation.predicted).all()


@pytest.mark.parametrize(
    ("factory", "why"),
    [
        ("wide", "reads 20,000 features, 18 MiB for the 240 images of made/val; heads are fitted to at most 16,384"),
        ("not_linear_last", "something after it changes them"),
    ],
)
def test_why_a_last_layer_cannot_be_changed_is_said(factory, why, tmp_path):
    search = search_of(factory, tmp_path)
    try_heads(search)
    assert search.points == [search.deployed.point]
    (note,) = search.notes
    assert note.startswith("The last layer of your model could not be changed on its own: ")
    assert why in note


def test_a_layer_that_is_named_but_does_not_fit_is_an_error(tmp_path):
    with pytest.raises(LastLayerError, match="--head 0 is a Flatten"):
        try_heads(search_of("two_logits", tmp_path, head="0"))


def test_a_network_with_more_outputs_than_classes_is_an_error(tmp_path):
    said = "has 3 outputs, but there should be 2, one for each class: "
    with pytest.raises(TeacherError, match=said):
        work_of("three_logits", tmp_path)


def test_training_images_are_left_out_if_the_pass_over_them_takes_too_long(tmp_path):
    search = search_of("two_logits", tmp_path)
    search.image_seconds = 1.0
    try_heads(search)
    assert {each.head.fitted_on for each in search.of("head")} == {"validation"}
    assert any(note.startswith("No last layer was fitted on training images") for note in search.notes)


def test_what_the_features_reveal_of_the_group_stands_beside_the_blind_head(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_METHODS", ("blind",))
    search = search_of("two_logits", tmp_path)
    try_heads(search)
    (blind,) = search.of("head")
    assert "a linear probe tells the groups apart in these features with an AUC of 1.00" in blind.description


def test_an_empty_subgroup_of_the_training_images_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_METHODS", ("domain-independent",))
    search = search_of("two_logits", tmp_path)
    train = search.work.samples.train
    rows = torch.tensor([row for row in range(len(train)) if row % 4 != 3])
    search.work = replace(search.work, samples=replace(search.work.samples, train=train.subset(rows)))
    try_heads(search)
    assert any("was not fitted on train images" in note and "(yes, y)" in note for note in search.notes)


@pytest.mark.parametrize(("students", "shares"), [(8, "_FITS"), (0, "_FITS_ALONE")])
def test_notes_say_how_many_were_fitted_to_which_images_if_time_is_short(students, shares, tmp_path, monkeypatch):
    monkeypatch.setattr(room, shares, (0.0, 0.0))
    search = search_of("two_logits", tmp_path, students=students)
    assert not try_heads(search)
    assert [note for note in search.notes if note.startswith("Only")] == [
        "Only 1 last layer was fitted to validation images, since more would have taken too much of the budget",
        "Only 1 last layer was fitted to training images, since more would have taken too much of the budget",
    ]
