"""From a deployed model and data to one recommendation, on short runs on the digits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from fairdistill.cli import main
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.fixing import FixOptions, fix, plan
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions, train

QUICK = {"data": "digits-s", "budget": "10m", "epochs": 3, "device": "cpu", "precision": "float32", "threads": 1}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights that says nothing of itself but its network and classes, as a stranger would have it."""
    out = tmp_path_factory.mktemp("deployed")
    run = train(TrainOptions(steps=150, device="cpu", precision="float32", threads=1, out=str(out / "run")), quiet=True)
    return str(shutil.copy(run.path / "model.safetensors", out / "deployed.safetensors"))


@pytest.fixture
def two_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_FACTORS", (1.0,))


def test_a_biased_model_is_replaced_by_a_student_that_the_test_set_confirms(deployed, two_students, tmp_path):
    out = tmp_path / "out"
    said = fix(deployed, FixOptions(**QUICK, out=str(out)), {})
    assert [each["name"] for each in said["candidates"]] == ["keep", "group logit adjustment", "ss", "mfd-3"]
    assert said["chosen"] in ("ss", "mfd-3")
    assert not said["needs_group"]
    assert said["promised"]["deo_a"]["high"] < 0
    run = RunFolder.open(Path(said["model"]).parent)
    assert said["test_after"]["accuracy"] == pytest.approx(run.result["accuracy"])
    assert said["test_after"]["deo_a"] == pytest.approx(run.result["deo_a"])
    others = {"ss", "mfd-3"} - {said["chosen"]}
    assert not any(RunFolder.open(out / name).finished for name in others), "the test set is read for the chosen alone"
    assert json.loads((out / "fix.json").read_text())["chosen"] == said["chosen"]
    assert (out / "recommendation.md").read_text().startswith(f"# Recommendation: use {said['model']}")


def test_a_second_fix_trains_nothing_again_and_says_the_same(deployed, two_students, tmp_path, monkeypatch):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"))
    first = fix(deployed, options, {})
    monkeypatch.setattr("fairdistill.fixing.search.train", lambda *_a, **_k: pytest.fail("it is trained already"))
    monkeypatch.setattr(
        "fairdistill.fixing.search.resume", lambda *_a, **_k: pytest.fail("its test set is read already")
    )
    assert fix(deployed, options, {}) == first


def test_where_the_group_is_known_at_use_a_correction_may_be_chosen(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), group_at_use=True, rule="deo_a")
    said = fix(deployed, options, {})
    lowest = min(said["candidates"], key=lambda each: each["deo_a"])
    assert said["chosen"] == lowest["name"]


def test_without_a_model_one_is_trained_first(two_students, tmp_path):
    said = fix(None, FixOptions(**QUICK, out=str(tmp_path / "out")), {})
    assert said["deployed"] == str(tmp_path / "out/teacher")
    assert (tmp_path / "out/teacher/model.safetensors").exists()


def test_a_model_that_is_fair_enough_is_kept_and_nothing_is_trained(deployed, tmp_path):
    said = fix(deployed, FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=0.9), {})
    assert (said["chosen"], said["why_kept"]) == ("keep", "fair")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fix.json", "plan.json", "recommendation.md"]
    text = (tmp_path / "out/recommendation.md").read_text()
    assert text.startswith(f"# Recommendation: keep your model, {deployed}")
    assert "It is already fair on the validation rows" in text


def test_a_gap_that_cannot_be_told_from_chance_is_said_to_be_so(tmp_path):
    untrained = train(
        TrainOptions(steps=1, lr=1e-9, device="cpu", precision="float32", out=str(tmp_path / "run")), quiet=True
    )
    said = fix(str(untrained.path), FixOptions(**QUICK, out=str(tmp_path / "out")), {})
    assert (said["chosen"], said["why_kept"]) == ("keep", "undecided")
    assert "its gap cannot be told from none" in (tmp_path / "out/recommendation.md").read_text()


def test_a_rule_that_nothing_keeps_says_how_near_the_nearest_came(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), rule="deo_a subject to accuracy >= 0.999")
    with pytest.raises(UsageError, match=r"keeps the rule .* misses accuracy >= 0.999 by"):
        fix(deployed, options, {})
    assert not (tmp_path / "out/fix.json").exists()


def test_another_fix_in_the_folder_is_refused(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0)
    fix(deployed, options, {})
    with pytest.raises(RunFolderError, match="holds a fix with seed 0, not 1; give another folder with --out"):
        fix(deployed, FixOptions(**QUICK, out=str(tmp_path / "out"), seed=1), {})
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(RunFolderError, match="exists already and holds no fix"):
        fix(deployed, FixOptions(**QUICK, out=str(tmp_path / "other")), {})


def test_validation_rows_that_lack_a_cell_are_named(tmp_path, tiny, monkeypatch):
    options = FixOptions(**{**QUICK, "data": "tiny"}, out=str(tmp_path / "out"))
    with pytest.raises(DataError, match=r"tiny/val has no row of \(c, y\), so nothing can be chosen on it"):
        fix(None, options, {"missing_cell": True})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "expected --budget to be a time such as 90s, 30m or 2h, but got 'soon'"),
        (["--budget", "1s", "--epochs", "9999"], "is too short: one pass over the training set takes about"),
        (["--rule", "fairness"], "cannot read the rule 'fairness'"),
        (["--fair-enough", "3"], "expected fair_enough to be a fraction in [0, 1], but got 3.0; 3% is 0.03"),
        (["nowhere.pt"], "there is no model nowhere.pt"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fairdistill.fixing.search.seconds_of", lambda _options: 5.0)
    assert main(["fix", "--data", "digits-s", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_of_other_classes_is_refused(deployed, tmp_path, capsys, tiny):
    assert main(["fix", deployed, "--data", "tiny", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "knows the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; tiny/train has a, b, c" in error
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_recommendation(deployed, tmp_path, capsys):
    command = ["fix", deployed, "--data", "digits-s", "--fair-enough", "1", "--out", str(tmp_path / "out")]
    assert main([*command, "--device", "cpu", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert "# Recommendation: keep your model" in shown
    assert "Averaged over the classes, the groups differ by" in shown
    assert torch.get_num_threads() >= 1
