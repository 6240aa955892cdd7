"""From a deployed model and data to one recommendation, on short runs on the digits."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fairdistill.cli import main
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.fixing import FixOptions, FixResult, decision, fix, plan
from fairdistill.fixing.result import TestRead
from fairdistill.metrics import Change
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.training import Interrupted, TrainOptions, train
from tests.fixing.making import model_change

QUICK = {"data": "digits-s", "budget": "10m", "epochs": 3, "device": "cpu", "precision": "float32", "threads": 1}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights that says nothing of itself but its network and classes, as someone else would have it."""
    out = tmp_path_factory.mktemp("deployed")
    run = train(TrainOptions(steps=150, device="cpu", precision="float32", threads=1, out=str(out / "run")), quiet=True)
    return str(shutil.copy(run.path / "model.safetensors", out / "deployed.safetensors"))


@pytest.fixture
def two_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_FACTORS", (1.0,))


@pytest.fixture(scope="module")
def fixed(deployed, tmp_path_factory) -> tuple[FixResult, Path]:
    """A fix with two students, and its folder."""
    out = tmp_path_factory.mktemp("fixed") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_FACTORS", (1.0,))
        return fix(deployed, options=FixOptions(**QUICK, out=str(out))), out


def test_a_biased_model_is_replaced_by_a_student_that_the_test_set_confirms(fixed):
    result, out = fixed
    assert [each.name for each in result.candidates] == ["keep", "group logit adjustment", "ss", "mfd-3"]
    assert result.chosen in ("ss", "mfd-3")
    assert not result.needs_group
    assert result.promised.deo_a.high < 0
    run = RunFolder.open(Path(result.model).parent)
    for metric in ("accuracy", "deo_a"):
        assert getattr(result.test_after, metric).value == pytest.approx(run.result[metric])
    others = {"ss", "mfd-3"} - {result.chosen}
    assert not any(RunFolder.open(out / name).finished for name in others), "the test set is read for the chosen alone"
    assert json.loads((out / "fix.json").read_text())["chosen"] == result.chosen
    assert (out / "recommendation.md").read_text().startswith(f"# Recommendation: use {result.model}")


def test_a_second_fix_trains_nothing_again_and_says_the_same(deployed, fixed, two_students, monkeypatch):
    first, out = fixed
    monkeypatch.setattr("fairdistill.fixing.students.train", lambda *_a, **_k: pytest.fail("it is trained already"))
    monkeypatch.setattr(
        "fairdistill.fixing.students.resume", lambda *_a, **_k: pytest.fail("its test set is read already")
    )
    assert fix(deployed, options=FixOptions(**QUICK, out=str(out))) == first


def test_where_the_group_is_known_at_use_a_correction_may_be_chosen(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), group_at_use=True, rule="deo_a")
    result = fix(deployed, options=options)
    lowest = min(result.candidates, key=lambda each: each.deo_a)
    assert result.chosen == lowest.name


def test_without_a_model_one_is_trained_first(two_students, tmp_path):
    result = fix(options=FixOptions(**QUICK, out=str(tmp_path / "out")))
    assert result.deployed == str(tmp_path / "out/teacher")
    assert (tmp_path / "out/teacher/model.safetensors").exists()


def test_a_model_that_is_fair_enough_is_kept_and_nothing_is_trained(deployed, tmp_path):
    result = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=0.9))
    assert (result.chosen, result.why_kept) == ("keep", "fair")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fix.json", "plan.json", "recommendation.md"]
    text = (tmp_path / "out/recommendation.md").read_text()
    assert text.startswith(f"# Recommendation: keep your model, {deployed}")
    assert "Your model is fair enough on the validation set" in text


def test_outputs_that_seem_to_be_in_another_order_are_said(deployed, tmp_path):
    weights = load_file(deployed)
    rows = [name for name, value in weights.items() if value.shape[:1] == (10,)]
    order = [1, 2, 0, *range(3, 10)]
    path = str(tmp_path / "shifted.safetensors")
    with safe_open(deployed, framework="pt") as file:
        save_file({**weights, **{name: weights[name][order] for name in rows}}, path, metadata=file.metadata())
    result = fix(path, options=FixOptions(**QUICK, fair_enough=1.0, out=str(tmp_path / "out")))
    assert any(note.startswith("With another order of the outputs the accuracy would be") for note in result.notes)
    assert "another order of the outputs" in (tmp_path / "out" / "recommendation.md").read_text()


def test_a_gap_that_cannot_be_told_from_chance_is_said_to_be_so(tmp_path):
    data = {"data_seed": 5}  # images in which this network happens to show next to no gap
    options = TrainOptions(
        steps=1, lr=1e-9, device="cpu", precision="float32", out=str(tmp_path / "run"), data_options=data
    )
    path = train(options, quiet=True).path
    result = fix(path, options=FixOptions(**QUICK, out=str(tmp_path / "out"), data_options=data))
    assert (result.chosen, result.why_kept) == ("keep", "undecided")
    assert "is within what chance alone would produce" in (tmp_path / "out/recommendation.md").read_text()


def test_options_of_the_data_set_are_keywords_too(deployed, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0)
    fix(deployed, options=options, skew=0.9, data_seed=3)
    identity = json.loads((tmp_path / "out/plan.json").read_text())["identity"]
    assert identity["data_options"] == {"skew": 0.9, "data_seed": 3}
    with pytest.raises(UsageError, match="FixOptions has no option 'skews'"):
        fix(deployed, options=options, skews=0.9)
    with pytest.raises(UsageError, match="fix needs data: a table of images"):
        fix(deployed)


def test_what_is_written_is_the_result(deployed, tmp_path):
    result = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0))
    written = json.loads((tmp_path / "out/fix.json").read_text())
    assert list(written) == list(result.to_dict())
    assert written == finite_or_null(result.to_dict())
    assert (tmp_path / "out/recommendation.md").read_text() == result.text() + "\n"


def test_a_rule_that_nothing_keeps_says_how_near_the_nearest_came(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), rule="deo_a subject to accuracy >= 0.999")
    with pytest.raises(UsageError, match=r"no model meets the rule .* misses accuracy >= 0.999 by"):
        fix(deployed, options=options)
    assert not (tmp_path / "out/fix.json").exists()


def test_another_fix_in_the_folder_is_refused(deployed, two_students, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0)
    fix(deployed, options=options)
    with pytest.raises(RunFolderError, match="contains a fix with seed 0, not 1; choose another folder with --out"):
        fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), seed=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(RunFolderError, match="already exists and does not contain a fix"):
        fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "other")))


def test_validation_rows_that_lack_a_cell_are_named(tmp_path, tiny, monkeypatch):
    options = FixOptions(**{**QUICK, "data": "tiny"}, out=str(tmp_path / "out"))
    with pytest.raises(DataError, match=r"tiny/val has no samples of \(c, y\), so nothing can be chosen on it"):
        fix(options=options, missing_cell=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "expected --budget to be a time, for example 90s, 30m or 2h, but got 'soon'"),
        (["--budget", "1s", "--epochs", "9999"], "is too short: one pass over the training set takes about"),
        (["--rule", "fairness"], "cannot read the rule 'fairness'"),
        (["--fair-enough", "3"], "expected fair_enough to be a fraction in [0, 1], but got 3.0; 3% is 0.03"),
        (["nowhere.pt"], "there is no model nowhere.pt"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fairdistill.fixing.start.seconds_of", lambda _options: 5.0)
    assert main(["fix", "--data", "digits-s", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_of_other_classes_is_refused(deployed, tmp_path, capsys, tiny):
    assert main(["fix", deployed, "--data", "tiny", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "was trained on the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; tiny/val has a, b, c" in error
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_recommendation(deployed, tmp_path, capsys):
    command = ["fix", deployed, "--data", "digits-s", "--fair-enough", "1", "--out", str(tmp_path / "out")]
    assert main([*command, "--device", "cpu", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert "# Recommendation: keep your model" in shown
    assert "Averaged over the classes, the groups differ by" in shown


def test_a_model_that_predicts_one_class_is_not_called_fair(deployed, tmp_path, capsys):
    weights = load_file(deployed)
    weights["output.bias"][3] = 1e4
    save_file(weights, tmp_path / "constant.safetensors")
    command = ["fix", str(tmp_path / "constant.safetensors"), "--model", "digit_net", "--data", "digits-s"]
    assert main([*command, "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    assert "predicts '3' for every image in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_whose_outputs_are_no_numbers_is_an_error(deployed, tmp_path, capsys):
    weights = {name: value * float("nan") for name, value in load_file(deployed).items()}
    save_file(weights, tmp_path / "broken.safetensors")
    command = ["fix", str(tmp_path / "broken.safetensors"), "--model", "digit_net", "--data", "digits-s"]
    assert main([*command, "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    assert "outputs that are not finite for 400 of 400 images" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_model_at_the_same_place_is_noticed(deployed, tmp_path):
    path = shutil.copy(deployed, tmp_path / "deployed.safetensors")
    options = FixOptions(**QUICK, model="digit_net", out=str(tmp_path / "out"), fair_enough=1.0)
    fix(path, options=options)
    weights = load_file(path)
    weights["output.bias"][0] += 1
    save_file(weights, path)
    with pytest.raises(RunFolderError, match="contains a fix with a different model, which has changed since"):
        fix(path, options=options)


def test_a_second_choice_says_that_the_test_set_was_read_before(deployed, fixed, two_students, tmp_path):
    first, out = fixed
    shutil.copytree(out, tmp_path / "out")
    other = next(each for each in first.candidates[2:] if each.name != first.chosen)
    assert first.test_read_before == ()
    (tmp_path / "out/test-reads.json").write_text(json.dumps({"reads": [{"chosen": other.name, "rule": "deo_m"}]}))
    second = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out")))
    assert second.test_read_before == (TestRead(chosen=other.name, rule="deo_m"),)
    assert "so this is not an independent check" in (tmp_path / "out/recommendation.md").read_text()


def test_ctrl_c_names_the_same_command_as_the_way_on(deployed, two_students, tmp_path, monkeypatch, capsys):
    def stopped(options, **_):
        run = RunFolder.create(Path(options.out), config={}, environment={})
        raise Interrupted("stopped", run, signal_number=signal.SIGINT)

    monkeypatch.setattr("fairdistill.fixing.students.train", stopped)
    command = [
        "fix",
        deployed,
        "--data",
        "digits-s",
        "--device",
        "cpu",
        "--threads",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(command) == 130
    error = capsys.readouterr().err
    assert "Run the same command to continue" in error
    assert "train --resume" not in error, "that would read the test set"


def test_more_students_than_there_are_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="expected students to be at most 6, but got 99"):
        fix(options=FixOptions(**QUICK, students=99, out=str(tmp_path / "out")))


@pytest.mark.parametrize(
    ("metric", "low", "high", "gains"),
    [
        ("accuracy", 0.01, 0.2, True),
        ("accuracy", -0.01, 0.2, False),
        ("deo_a", -0.2, -0.1, True),
        ("deo_m", -0.2, 0.1, False),
    ],
)
def test_a_gain_is_in_the_metric_that_is_chosen_by(metric, low, high, gains):
    change = model_change(**{metric: Change((low + high) / 2, low, high, 0.01)})
    assert decision.gains(change, metric) is gains
