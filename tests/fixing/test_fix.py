"""From a deployed model and data to one recommendation, on short runs on the digits."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fairdistill.cli import main
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.fixing import FixOptions, FixResult, fix
from fairdistill.fixing.result import TestRead
from fairdistill.fixing.work import folder
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.system.signals import StopSignal
from fairdistill.training import Interrupted
from tests.fixing.conftest import search_quickly
from tests.fixing.networks import without_digest

QUICK = {
    "data": "digits-s", "budget": "10m", "epochs": 3, "device": "cpu", "precision": "float32", "threads": 1,
    "students": 0,
}  # fmt: skip

ON_DIGITS = ["--data", "digits-s", "--device", "cpu", "--threads", "1"]


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        search_quickly(patch)
        yield


@pytest.fixture(scope="module")
def with_students(deployed, tmp_path_factory) -> tuple[FixResult, Path]:
    """A fix in which two students compete, and its folder."""
    out = tmp_path_factory.mktemp("fixed") / "out"
    return fix(deployed, options=FixOptions(**{**QUICK, "students": 2}, out=str(out))), out


@pytest.fixture(scope="module")
def with_head(deployed, tmp_path_factory) -> tuple[FixResult, Path]:
    """A fix of the last layer alone, and its folder."""
    out = tmp_path_factory.mktemp("head") / "out"
    return fix(deployed, options=FixOptions(**QUICK, out=str(out))), out


def told(result: FixResult) -> dict[str, object]:
    """Return what a fix says, without how long it took."""
    without = [replace(each, seconds=0.0) for each in result.candidates]
    searched = replace(result.searched, seconds=0.0, first_seconds=None)
    # Students on their way are points only in the call that trained them.
    return replace(result, candidates=tuple(without), searched=searched, points=()).to_dict()


def test_the_last_layer_and_then_students_are_tried(with_students):
    result, out = with_students
    names = [each.name for each in result.candidates]
    assert names[:3] == ["keep", "group logit adjustment", "balanced head"]
    assert {"ss-short", "ss", "mfd"} <= set(names)
    assert any(name.startswith("part of the way to ") for name in names)
    assert result.searched.students == 3
    assert result.searched.ended == "complete"
    assert not any(
        RunFolder.open(path).finished for path in (out / "students").glob("*") if (path / "config.yaml").exists()
    )
    assert json.loads((out / "fix.json").read_text())["chosen"] == result.chosen != "keep"


def test_half_of_the_students_drop_out_and_the_rest_goes_on(with_students):
    _, out = with_students
    (planned,) = folder.plan_of(out)["rounds"]
    first, last = planned["rungs"]
    reached = {name: folder.reached(out, f"students/{name}") for name in ("ss", "mfd")}
    assert sorted(reached.values()) == [first, last]
    assert planned["passed"][1] == []
    for name in reached:
        config = RunFolder.open(out / "students" / name).config
        assert (config["steps"], config["schedule"]) == (last, "cosine")
        assert config["ema"] > 0
        assert config["keep"].startswith("deo_a subject to balanced_accuracy >= 0.")


def test_a_second_fix_trains_nothing_again_and_says_the_same(deployed, with_students, monkeypatch):
    first, out = with_students
    monkeypatch.setattr(
        "fairdistill.fixing.students.runs.train", lambda *_a, **_k: pytest.fail("it is trained already")
    )
    monkeypatch.setattr(
        "fairdistill.fixing.students.runs.resume", lambda *_a, **_k: pytest.fail("it is trained already")
    )
    assert told(fix(deployed, options=FixOptions(**{**QUICK, "students": 2}, out=str(out)))) == told(first)


def test_a_new_last_layer_is_the_users_own_file_with_that_layer_changed(deployed, with_head):
    result, _ = with_head
    assert result.family in ("head", "line")
    assert Path(result.model).name == Path(deployed).name
    before, after = load_file(deployed), load_file(result.model)
    changed = {name for name in before if not before[name].equal(after[name])}
    assert before.keys() == after.keys()
    assert changed == {"output.weight", "output.bias"}
    with safe_open(deployed, framework="pt") as one, safe_open(result.model, framework="pt") as other:
        assert without_digest(one.metadata()) == without_digest(other.metadata())
    assert result.test_after.deo_a.value < result.test_before.deo_a.value


def test_the_first_recommendation_is_said_and_written_before_anything_is_trained(
    deployed, tmp_path, capsys, monkeypatch
):
    seen = []

    def stop(*_a, **_k):
        seen.append(json.loads((tmp_path / "out/so-far.json").read_text()))
        raise KeyboardInterrupt

    monkeypatch.setattr("fairdistill.fixing.students.runs.train", stop)
    result = fix(deployed, options=FixOptions(**{**QUICK, "students": 1}, out=str(tmp_path / "out")))
    said = capsys.readouterr().err
    assert "s: balanced head (fitted on validation): balanced accuracy " in said or "part of the way" in said
    assert f"on validation; {tmp_path / 'out/heads'}" in said
    assert Path(seen[0]["file"]).exists()
    assert result.searched.ended == "interrupted"
    assert result.chosen != "keep"
    assert not (tmp_path / "out/so-far.json").exists(), "the conclusion takes its place"


def test_ctrl_c_during_training_ends_the_search_and_the_best_so_far_is_recommended(
    deployed, tmp_path, monkeypatch, capsys
):
    def stopped(options, **_):
        run = RunFolder.create(Path(options.out), config={}, environment={})
        raise Interrupted("stopped", run, signal_number=signal.SIGINT)

    monkeypatch.setattr("fairdistill.fixing.students.runs.train", stopped)
    command = ["fix", deployed, *ON_DIGITS, "--out", str(tmp_path / "out")]
    assert main(command) == 0
    found = json.loads((tmp_path / "out/fix.json").read_text())
    assert found["searched"]["ended"] == "interrupted"
    assert "The same command continues it" in (tmp_path / "out/recommendation.md").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_anything_was_tried_and_sigterm_name_the_same_command_as_the_way_on(
    deployed, tmp_path, monkeypatch, capsys, number
):
    tmp_run = RunFolder(tmp_path)

    def stopped(*_a, **_k):
        raise KeyboardInterrupt if number == signal.SIGINT else Interrupted("", tmp_run, signal_number=number)

    monkeypatch.setattr("fairdistill.fixing.stages.try_heads", stopped)
    command = ["fix", deployed, *ON_DIGITS, "--out", str(tmp_path / "out")]
    assert main(command) == 128 + number
    error = capsys.readouterr().err
    assert "Run the same command to continue" in error
    assert "train --resume" not in error, "that would read the test set"
    assert not (tmp_path / "out/fix.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_while_the_test_set_is_read_names_the_same_command_as_the_way_on(
    deployed, tmp_path, monkeypatch, capsys, number
):
    def stopped(*_a, **_k):
        raise StopSignal(number)

    monkeypatch.setattr("fairdistill.fixing.conclusion.predict_test_set", stopped)
    assert main(["fix", deployed, *ON_DIGITS, "--students", "0", "--out", str(tmp_path / "out")]) == 128 + number
    assert "Run the same command to continue" in capsys.readouterr().err
    assert not (tmp_path / "out/fix.json").exists()


def test_where_the_group_is_known_at_use_a_correction_may_be_chosen(deployed, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), group_at_use=True, rule="deo_a")
    result = fix(deployed, options=options)
    lowest = min(result.candidates, key=lambda each: each.deo_a)
    assert result.chosen == lowest.name


def test_a_rule_may_be_a_function(deployed, tmp_path):
    def worst(model, deployed):
        return -model["worst_subgroup"] if model["accuracy"] >= deployed["accuracy"] - 0.02 else None

    result = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), rule=worst))
    assert result.rule.endswith("worst")
    best = max((each for each in result.candidates if not each.needs_group), key=lambda each: each.worst_subgroup)
    assert result.chosen == best.name


def test_without_a_model_one_is_trained_first_in_a_third_of_the_budget(tmp_path):
    options = FixOptions(**{**QUICK, "epochs": 8, "students": 0}, out=str(tmp_path / "out"))
    result = fix(options=options)
    assert result.deployed == str(tmp_path / "out/teacher")
    assert folder.plan_of(tmp_path / "out")["teacher_steps"] == 8 * 8
    assert result.searched.heads > 0


def test_a_model_of_ones_own_that_has_learned_nothing_asks_for_more_time(tmp_path, capsys):
    command = ["fix", "--data", "digits-s", "--device", "cpu", "--threads", "1", "--out", str(tmp_path / "out")]
    assert main([*command, "--epochs", "1", "--lr", "1e-9"]) == 2
    error = capsys.readouterr().err
    assert "the model that was trained first, for 8 steps, is correct for" in error
    assert "Give it more time (--budget), or bring a trained model" in error
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_fair_enough_is_kept_and_nothing_is_tried(deployed, tmp_path):
    result = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0))
    assert (result.chosen, result.searched.ended) == ("keep", "fair")
    assert not (tmp_path / "out/heads").exists()
    reads = json.loads((tmp_path / "out/test-reads.json").read_text())["reads"]
    assert [each["chosen"] for each in reads] == ["keep"]


def reordered(deployed: str, order: list[int], path: Path) -> str:
    weights = load_file(deployed)
    rows = [name for name, value in weights.items() if value.shape[:1] == (10,)]
    with safe_open(deployed, framework="pt") as file:
        save_file({**weights, **{name: weights[name][order] for name in rows}}, path, without_digest(file.metadata()))
    return str(path)


def test_some_outputs_that_seem_to_be_in_another_order_are_said(deployed, tmp_path):
    path = reordered(deployed, [1, 2, 0, *range(3, 10)], tmp_path / "shifted.safetensors")
    result = fix(path, options=FixOptions(**QUICK, fair_enough=1.0, out=str(tmp_path / "out")))
    assert any(note.startswith("With another order of the outputs the accuracy would be") for note in result.notes)
    assert "another order of the outputs" in (tmp_path / "out" / "recommendation.md").read_text()


def test_a_model_no_better_than_guessing_is_an_error_that_names_the_order_that_fits(deployed, tmp_path, capsys):
    path = reordered(deployed, [*range(1, 10), 0], tmp_path / "shifted.safetensors")
    assert main(["fix", path, "--data", "digits-s", "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "no better than guessing: naming '" in error
    assert "With another order of the outputs the accuracy would be" in error
    assert not (tmp_path / "out").exists()


def test_if_the_gap_is_within_chance_last_layers_are_tried_but_nothing_is_trained(deployed, tmp_path, monkeypatch):
    monkeypatch.setattr("fairdistill.fixing.stages.is_real", lambda _audited: False)
    monkeypatch.setattr("fairdistill.fixing.students.runs.train", lambda *_a, **_k: pytest.fail("nothing is trained"))
    result = fix(deployed, options=FixOptions(**{**QUICK, "students": 2}, out=str(tmp_path / "out")))
    assert result.searched.within_chance
    assert result.searched.heads > 0
    assert any("--anyway trains some all the same" in note for note in result.notes)


def test_options_of_the_data_set_are_keywords_too(deployed, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), fair_enough=1.0)
    fix(deployed, options=options, skew=0.9, data_seed=3)
    identity = json.loads((tmp_path / "out/plan.json").read_text())["identity"]
    assert identity["data_options"] == {"skew": 0.9, "data_seed": 3}
    with pytest.raises(UsageError, match="FixOptions has no option 'skews'"):
        fix(deployed, options=options, skews=0.9)
    with pytest.raises(UsageError, match="fix needs data: a table of images"):
        fix(deployed)


def test_what_is_written_is_the_result(with_head):
    result, out = with_head
    written = json.loads((out / "fix.json").read_text())
    assert list(written) == list(result.to_dict())
    assert written == finite_or_null(result.to_dict())
    assert (out / "recommendation.md").read_text() == result.text() + "\n"


def test_if_nothing_keeps_the_rule_the_model_stays_and_the_nearest_is_named(deployed, tmp_path):
    options = FixOptions(**QUICK, out=str(tmp_path / "out"), rule="deo_a subject to accuracy >= 0.999")
    result = fix(deployed, options=options)
    assert result.chosen == "keep"
    assert result.promising is not None
    assert "below the 99.9% that it asks for" in (tmp_path / "out/recommendation.md").read_text()


def test_a_rule_that_names_an_unknown_class_is_an_error_before_anything_runs(deployed, tmp_path):
    with pytest.raises(UsageError, match="the data has no class 'ten'"):
        fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), rule="recall[ten]"))
    assert not (tmp_path / "out").exists()


def test_another_fix_in_the_folder_is_refused(with_head, deployed, tmp_path):
    _, out = with_head
    with pytest.raises(RunFolderError, match="contains a fix with seed 0, not 1; choose another folder with --out"):
        fix(deployed, options=FixOptions(**QUICK, out=str(out), seed=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(RunFolderError, match="already exists and does not contain a fix"):
        fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "other")))


def test_a_fix_in_progress_is_not_disturbed(with_head, deployed, capsys):
    _, out = with_head
    with folder.held(out):
        assert main(["fix", deployed, "--data", "digits-s", "--out", str(out)]) == 2
    assert "another fix is working in" in capsys.readouterr().err


def test_validation_rows_that_lack_a_cell_are_named(tmp_path, tiny):
    options = FixOptions(**{**QUICK, "data": "tiny"}, out=str(tmp_path / "out"))
    with pytest.raises(DataError, match=r"tiny/val has no samples of \(c, y\), so nothing can be chosen on it"):
        fix(options=options, missing_cell=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "expected --budget to be a time, for example 90s, 30m or 2h, but got 'soon'"),
        (["--rule", "fairness"], "cannot read the rule 'fairness'"),
        (["--fair-enough", "3"], "expected fair_enough to be a fraction in [0, 1], but got 3.0; 3% is 0.03"),
        (["--students", "99"], "expected students to be from 0 to 8, but got 99"),
        (["nowhere.pt"], "there is no model nowhere.pt"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(arguments, said, tmp_path, capsys):
    assert main(["fix", "--data", "digits-s", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_head_that_the_network_does_not_have_is_an_error(deployed, tmp_path, capsys):
    command = ["fix", deployed, "--data", "digits-s", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*command, "--head", "fc"]) == 2
    assert "--head fc: ConvNet has no such module" in capsys.readouterr().err


def test_without_a_model_a_wrong_head_is_an_error_before_one_is_trained(tmp_path, capsys):
    command = ["fix", "--data", "digits-s", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*command, "--head", "fc"]) == 2
    assert "--head fc: ConvNet has no such module" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_function_as_a_rule_that_fails_does_so_before_anything_is_written(deployed, tmp_path):
    with pytest.raises(UsageError, match="failed with ZeroDivisionError"):
        fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out"), rule=lambda model, own: 1 / 0))
    assert not (tmp_path / "out").exists()


def test_a_network_without_a_linear_last_layer_gets_students_and_a_note(deployed, tmp_path, monkeypatch):
    from fairdistill.models.last_layer.layer import LastLayerError

    def none(*_a, **_k):
        raise LastLayerError("the model is a complete program: its last layer cannot be changed")

    monkeypatch.setattr("fairdistill.fixing.last_layer.site.find_last_layer", none)
    result = fix(deployed, options=FixOptions(**{**QUICK, "students": 1, "epochs": 1}, out=str(tmp_path / "out")))
    assert {"student"} <= {each.family for each in result.candidates}
    assert "head" not in {each.family for each in result.candidates}
    assert any("could not be changed on its own: the model is a complete program" in note for note in result.notes)


def test_a_budget_too_short_for_a_student_gives_the_head_and_says_so(deployed, tmp_path, monkeypatch):
    monkeypatch.setattr("fairdistill.fixing.students.halving.time_for_students", lambda _search: 0.001)
    result = fix(deployed, options=FixOptions(**{**QUICK, "students": 2}, out=str(tmp_path / "out")))
    assert result.searched.ended == "budget"
    assert result.searched.students == 0
    assert any(note.startswith("No student was trained: a pass over the training images") for note in result.notes)


def test_a_model_of_other_classes_is_refused(deployed, tmp_path, capsys, tiny):
    assert main(["fix", deployed, "--data", "tiny", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "was trained on the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; tiny/val has a, b, c" in error
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_recommendation(deployed, tmp_path, capsys):
    command = ["fix", deployed, "--data", "digits-s", "--fair-enough", "1", "--out", str(tmp_path / "out")]
    assert main([*command, "--device", "cpu", "--threads", "1"]) == 0
    shown = capsys.readouterr().out
    assert (tmp_path / "out/recommendation.md").read_text() in shown


def test_a_model_that_predicts_one_class_is_not_called_fair(deployed, tmp_path, capsys):
    weights = load_file(deployed)
    weights["output.bias"][3] = 1e4
    save_file(weights, tmp_path / "constant.safetensors")
    command = ["fix", str(tmp_path / "constant.safetensors"), "--model", "digit_net", "--data", "digits-s"]
    assert main([*command, "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    assert "predicts '3' for every validation image" in capsys.readouterr().err
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


def test_a_second_choice_says_that_the_test_set_was_read_before(deployed, with_head, tmp_path):
    first, out = with_head
    shutil.copytree(out, tmp_path / "out")
    assert first.test_read_before == ()
    (tmp_path / "out/test-reads.json").write_text(json.dumps({"reads": [{"chosen": "other", "rule": "deo_m"}]}))
    second = fix(deployed, options=FixOptions(**QUICK, out=str(tmp_path / "out")))
    assert second.test_read_before == (TestRead(chosen="other", rule="deo_m"),)
