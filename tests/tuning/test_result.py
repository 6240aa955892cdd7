from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fairdistill.errors import RunFolderError
from fairdistill.runs import write_json
from fairdistill.tuning import TuneResult
from fairdistill.tuning.result import Trial
from tests.tuning.making import result, trial


def test_the_json_holds_every_field_under_its_key_and_not_where_it_lies():
    content = result().to_dict()
    assert list(content) == [
        "fairdistill", "study", "method", "data", "seed", "search", "sampler", "objectives", "rule", "rule_in_words",
        "steps", "early_stopping", "validation_rows", "teacher", "trials", "front", "chosen", "run", "test", "closed",
        "notes", "identity", "environment",
    ]  # fmt: skip
    assert list(content["test"]) == ["accuracy", "deo_a", "deo_m", "balanced_accuracy", "rows", "teacher", "measures"]
    scores = {"accuracy": 0.85, "deo_a": 0.1, "deo_m": 0.2, "balanced_accuracy": math.nan}
    assert content["trials"][1]["validation"] == pytest.approx(scores, nan_ok=True)
    assert content["run"] == "study/trial-1"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"teacher": None, "test": None, "closed": None, "notes": ("The test set has not been read",)},
        {"chosen": None, "run": None, "test": None, "closed": None, "front": ()},
        {"trials": (trial(0, 0.5, settings={"batch_size": 32}), trial(1, None, state="in hand", host=None))},
    ],
)
def test_what_is_written_is_read_again(changes, tmp_path):
    found = result(**changes, out=tmp_path)
    write_json(tmp_path / "tune.json", found.to_dict())
    assert TuneResult.read(tmp_path).to_dict() == found.to_dict()


def test_undefined_scores_on_the_test_set_are_null_in_the_file_and_nan_when_read(tmp_path):
    found = result(out=tmp_path, test=replace(result().test, deo_a=math.nan))
    write_json(tmp_path / "tune.json", found.to_dict())
    read = TuneResult.read(tmp_path)
    assert math.isnan(read.test.deo_a)
    assert read.test.deo_m == found.test.deo_m
    assert "undefined" in read.text()


def test_a_file_of_another_version_is_an_error_that_names_what_it_lacks(tmp_path):
    content = result().to_dict()
    del content["closed"]
    write_json(tmp_path / "tune.json", content)
    with pytest.raises(RunFolderError, match=r"tune\.json has no 'closed'"):
        TuneResult.read(tmp_path)


def test_the_chosen_trial_and_its_scores_are_at_hand():
    found = result()
    assert found.chosen_trial == found.trials[1]
    assert found.validation == found.trials[1].validation
    assert [str(path) for path in found.files] == ["study/tune.json", "study/front.md", "study/front.svg"]
    unchosen = replace(found, chosen=None)
    assert (unchosen.chosen_trial, unchosen.validation) == (None, None)


def test_a_trial_is_read_from_what_a_study_keeps_of_it():
    kept = {"number": 2, "settings": {"lr": 0.1}, "state": "in hand", "host": "here"}
    assert Trial.from_dict(kept) == Trial(number=2, settings={"lr": 0.1}, state="in hand", host="here")
