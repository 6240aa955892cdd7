from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.choosing import chooser
from fairdistill.fixing.last_layer import heads as room
from fairdistill.fixing.last_layer.heads import try_heads
from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.students.training import fixed_rule, start_of
from fairdistill.fixing.work import folder
from tests.fixing.making import UNFAIR, predictions
from tests.fixing.networks import work_of


def test_the_rule_of_checkpoints_has_the_deployed_models_values_filled_in():
    own = Candidate(name=KEEP, family="deployed", description="it", validation=predictions(UNFAIR)).measures
    rule = chooser("deo_a subject to balanced_accuracy >= deployed - 0.005 and deo_m <= 0.5")
    expected = own["balanced_accuracy"] - 0.005
    assert fixed_rule(rule, own) == f"deo_a subject to balanced_accuracy >= {expected:g} and deo_m <= 0.5"
    assert fixed_rule(chooser("accuracy subject to deo_a <= deployed - 0.9"), own).endswith("deo_a <= 0")
    assert fixed_rule(chooser("accuracy subject to calibration_error <= 0.1"), own) == "loss"
    assert fixed_rule(chooser(lambda model, deployed: model["deo_a"]), own) == "loss"


@pytest.mark.parametrize("init", ["teacher", "scratch"])
def test_students_start_from_the_best_head_of_training_images_and_stay_with_it(init, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_METHODS", ("fair",))
    work = work_of("two_logits", tmp_path, init=init)
    folder.begin(work.out, {"digests": {}})
    own = Candidate(name=KEEP, family="deployed", description="it", validation=work.deployed.validation)
    search = Search(work, own)
    try_heads(search)
    start = start_of(search)
    if init == "scratch":
        assert (start.name, start.source) == (None, work.deployed.source)
        return
    assert "fitted on train" in start.name or start.name.startswith("part of the way")
    before = torch.load(work.deployed.source.path, weights_only=True)["state_dict"]
    after = torch.load(start.source.path, weights_only=True)["state_dict"]
    assert not before["2.weight"].equal(after["2.weight"])
    assert start_of(Search(work, own)) == start, "an earlier call decided it"


def test_a_better_head_of_validation_images_does_not_hide_that_of_training_images(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_METHODS", ("fair",))
    work = work_of("two_logits", tmp_path)
    folder.begin(work.out, {"digests": {}})
    own = Candidate(name=KEEP, family="deployed", description="it", validation=work.deployed.validation)
    search = Search(work, own)
    try_heads(search)
    trained = search.best_on_train
    (head,) = search.of("head")
    perfect = replace(own.validation, predicted=own.validation.labels)
    search.add(replace(head, name=trained.name, family=trained.family, validation=perfect, head=replace(
        head.head, fitted_on="validation")))  # fmt: skip
    assert all(each is not trained for each in search.of("head", "line"))
    assert start_of(search).name == trained.title
