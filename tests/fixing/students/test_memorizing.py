from __future__ import annotations

import pytest

from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.students import memorizing
from fairdistill.fixing.students.memorizing import wants_changed_images
from fairdistill.fixing.work import folder
from tests.fixing.making import predictions
from tests.fixing.networks import work_of

IS_QUICK = memorizing._is_quick
WELL, BADLY = ((95, 100),) * 4, ((70, 100),) * 4


@pytest.fixture
def search(tmp_path, monkeypatch):
    """A search whose deployed model is right on 95% of the training images and on 70% of the validation images."""
    work = work_of("two_logits", tmp_path)
    folder.begin(work.out, {"digests": {}})
    found = Search(work, Candidate(name=KEEP, family="deployed", description="it", validation=predictions(BADLY)))
    monkeypatch.setattr(memorizing, "_is_quick", lambda _work: True)
    monkeypatch.setattr(memorizing, "_on_some_training_images", lambda _work: predictions(WELL))
    return found


def test_a_model_that_knows_its_training_images_by_heart_gets_students_with_changed_images(search):
    assert wants_changed_images(search)
    assert "95.0% of its training images and on 70.0% of the validation images" in search.notes[-1]


def test_the_answer_is_the_same_in_later_calls(search, monkeypatch):
    assert wants_changed_images(search)
    monkeypatch.setattr(memorizing, "_on_some_training_images", lambda _work: predictions(BADLY))
    assert wants_changed_images(search)


def test_a_model_that_does_as_well_on_other_images_does_not(search, monkeypatch):
    monkeypatch.setattr(memorizing, "_on_some_training_images", lambda _work: predictions(((74, 100),) * 4))
    assert not wants_changed_images(search)
    assert not search.notes


def test_changing_images_must_not_take_longer_than_the_rest_of_a_step(search, monkeypatch):
    monkeypatch.setattr(memorizing, "_is_quick", IS_QUICK)  # its network is a single layer
    assert not wants_changed_images(search)


def test_torchvision_is_not_required(search, monkeypatch):
    monkeypatch.setattr(memorizing.importlib.util, "find_spec", lambda _name: None)
    assert not wants_changed_images(search)
