from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from fairdistill.errors import UsageError
from fairdistill.fixing.last_layer.student_heads import refit_last_layer
from fairdistill.predictions.trained.model import load_model, predictions_of
from tests.fixing.networks import biased_, two_logits, without_digest
from tests.fixing.students.test_network_lines import student_of


def test_a_student_gets_a_fairer_last_layer_in_a_file_of_its_own(search):
    student = student_of(search.work, biased_(two_logits()))
    search.add(student)
    refit_last_layer(search, student)
    found = search.best
    assert found.family == "student"
    assert found.settings["head"] in ("balanced", "fair")
    assert found.name == f"ss with a {found.settings['head']} head"
    assert found.measures["deo_a"] < student.measures["deo_a"]
    assert found.file.parent.parent == search.work.out / "students"
    model = load_model(found.source, search.work.samples.validation, search.work.runtime)
    fitted = predictions_of(model, search.work.samples.validation, where="", runtime=search.work.runtime)
    assert fitted.correct.mean() > 0.9 * found.validation.correct.mean()
    with safe_open(found.file, framework="pt") as file, safe_open(student.file, framework="pt") as before:
        assert without_digest(file.metadata()) == without_digest(before.metadata())
        changed = [name for name in file.keys() if not torch.equal(file.get_tensor(name), before.get_tensor(name))]  # noqa: SIM118
    assert sorted(changed) == ["2.bias", "2.weight"]
    fits = [point for point in search.points if point.settings and "head" in point.settings]
    assert len(fits) == 8  # balanced, and fair at three strengths, each with two penalties


def test_a_file_that_does_not_behave_as_the_fitted_head_is_refused(search, monkeypatch):
    def unchanged(source, layer, weight, bias, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(source.path) / "model.safetensors" if Path(source.path).is_dir() else source.path, target)
        return target

    monkeypatch.setattr("fairdistill.fixing.last_layer.student_heads.write_with_last_layer", unchanged)
    student = student_of(search.work, biased_(two_logits()))
    with pytest.raises(UsageError, match=r"model.safetensors does not give the outputs of the last layer that was fit"):
        refit_last_layer(search, student)


def test_without_time_its_last_layer_stays(search, monkeypatch):
    monkeypatch.setattr(type(search.work.clock), "left", 0.0)
    student = student_of(search.work, biased_(two_logits()))
    refit_last_layer(search, student)
    assert search.best is search.deployed


def test_when_time_is_up_no_further_fit_begins_and_the_best_so_far_counts(search, monkeypatch):
    left = iter([100.0, 50.0, -1.0])
    monkeypatch.setattr("fairdistill.fixing.last_layer.student_heads.time_before_the_test", lambda _search: next(left))
    student = student_of(search.work, biased_(two_logits()))
    search.add(student)
    refit_last_layer(search, student)
    assert len([point for point in search.points if point.settings and "head" in point.settings]) == 2
    assert search.best.settings["head"] == "balanced"
