"""Searches on the tiny data set, whose runs take a fraction of a second; their values mean nothing."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import optuna
import pytest

from fairdistill import data
from fairdistill.choosing.rule import Rule
from fairdistill.errors import DataError, NonFiniteLossError, RunFolderError, TrainingError, UsageError
from fairdistill.metrics import SCORES, Scores
from fairdistill.runs.folder import RunFolder
from fairdistill.training import TrainOptions, loop
from fairdistill.training.progress.state import load_checkpoint
from fairdistill.tuning import TuneOptions, TuneResult, folder, tune
from fairdistill.tuning import trials_loop as working
from fairdistill.tuning.early_stopping import Noise
from tests.conftest import QUICK, TINY
from tests.stops import Killed, in_step, kill

LISTED = {"mfd.strength": "0.5,3,20"}
ANY = "deo_a"


@pytest.fixture
def mfd(quick, tiny_teacher, tmp_path) -> Callable[..., TrainOptions]:
    def options(**changes) -> TrainOptions:
        given = {"method": "mfd", "teacher": tiny_teacher, "steps": 6, "out": str(tmp_path / "study"), **changes}
        return quick(**given)

    return options


def wanted(**changes) -> TuneOptions:
    return TuneOptions(**{"search": LISTED, "rule": ANY, **changes})


def stop(options, act, *, step=None, place=None):
    """Begin a search that ``act`` ends: before a training step, or in the place of a function."""
    with pytest.MonkeyPatch.context() as patch:
        if step is not None:
            in_step(step, act)(patch)
        if place is not None:
            module, _, name = place.partition(".")
            target = importlib.import_module(f"fairdistill.tuning.{module}")  # tuning.tune is the function
            for part in name.split(".")[:-1]:
                target = getattr(target, part)
            patch.setattr(target, name.rpartition(".")[2], lambda *_a, **_k: act())
        tune(options, options=wanted(), quiet=True)


def outcome(result):
    """Return what must not depend on stops in between."""
    left_out = ("seconds", "folder", "host")
    trials = [{k: v for k, v in each.to_dict().items() if k not in left_out} for each in result.trials]
    return trials, result.front, result.chosen, result.test


@pytest.fixture(scope="module")
def whole(tiny_teacher, tmp_path_factory):
    """Return what a search finds that nothing stops."""
    out = str(tmp_path_factory.mktemp("tuning") / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "tiny", TINY)
        options = TrainOptions(**{**QUICK, "steps": 6}, method="mfd", teacher=tiny_teacher, out=out)
        return outcome(tune(options, options=wanted(), quiet=True))


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr("fairdistill.tuning.conclusion.draw", lambda _result: b"<svg/>")  # half a second each


def test_every_point_of_a_list_is_tried_and_one_is_chosen_and_tested(mfd, tmp_path):
    result = tune(mfd(steps=12), options=wanted(rule="accuracy", early_stopping=False), quiet=True)
    out = tmp_path / "study"
    trials = result.trials
    assert sorted(each.settings["mfd.strength"] for each in trials) == [0.5, 3, 20]
    for each in trials:
        run = RunFolder.open(out / f"trial-{each.number}")
        assert run.config["set"]["mfd.strength"] == each.settings["mfd.strength"]
        assert run.finished == (each.number == result.chosen), "the test set is read for the chosen one alone"
        step = load_checkpoint(run.checkpoint_path)["best_step"]
        (row,) = [row for row in run.read_log() if row["step"] == step]
        assert each.validation == Scores(**{name: row["evaluation"][name] for name in SCORES})
    assert result.validation.accuracy == max(each.validation.accuracy for each in trials)
    assert result.test.accuracy == RunFolder.open(result.run).result["accuracy"]
    assert len(list((out / ".teacher-cache").glob("*.lock"))) == 1, "the teacher's outputs are shared"
    assert TuneResult.read(out) == result
    record = json.loads((out / "tune.json").read_text())
    assert (record["validation_rows"], record["seed"], record["closed"]["trial"]) == (6, 0, result.chosen)
    assert record["environment"]["packages"]["optuna"] == optuna.__version__
    assert (out / "front.svg").read_bytes() == b"<svg/>"
    assert "| Trial | mfd.strength |" in (out / "front.md").read_text()


def test_options_of_the_search_and_of_the_training_may_be_given_by_name(mfd, tmp_path):
    result = tune(mfd(), options=wanted(test=False), trials=1, steps=3, quiet=True)
    assert (len(result.trials), result.steps, result.test) == (1, 3, None)
    with pytest.raises(UsageError, match="tune has no option 'trails'; did you mean 'trials'"):
        tune(mfd(), trails=1)
    names = [field.name for options in (TuneOptions, TrainOptions) for field in fields(options)]
    assert len({*names, *inspect.signature(tune).parameters}) == len(names) + 4, "every name means one thing"


def test_the_teacher_is_judged_on_the_same_validation_rows(mfd, tiny_teacher):
    result = tune(mfd(steps=3), options=wanted(rule="deo_a subject to accuracy >= teacher - 1", trials=1), quiet=True)
    run = RunFolder.open(tiny_teacher)
    step = load_checkpoint(run.checkpoint_path)["best_step"]
    (row,) = [row for row in run.read_log() if row["step"] == step]
    assert result.teacher.validation.accuracy == row["evaluation"]["accuracy"]
    assert f"(teacher {100 * row['evaluation']['accuracy']:.2f}% - 100 points)" in result.text()


@pytest.mark.parametrize("sampler", ["tpe", "grid"])
def test_options_of_the_run_may_be_searched_over_ranges(sampler, quick, tmp_path):
    options = quick(method="ss", steps=2, threads=1, out=str(tmp_path / "study"))
    search = {"lr": "1e-4:1e-2:log", "batch_size": "12:22"}
    result = tune(options, search=search, sampler=sampler, trials=4, rule=ANY, test=False, quiet=True)
    assert len(result.trials) == 4
    for each in result.trials:
        config = RunFolder.open(tmp_path / f"study/trial-{each.number}").config
        assert {name: config[name] for name in search} == each.settings
        assert 1e-4 <= config["lr"] <= 1e-2
        assert 12 <= config["batch_size"] <= 22
    if sampler == "grid":
        points = {tuple(each.settings.values()) for each in result.trials}
        assert points == {(lr, rows) for lr in (1e-4, 1e-2) for rows in (12, 22)}


@pytest.mark.parametrize("step", [1, 8, 15])
def test_a_search_that_was_killed_goes_on_to_the_same_end(step, mfd, whole):
    with pytest.raises(Killed):
        stop(mfd(), kill, step=step)
    assert outcome(tune(mfd(), options=wanted(), quiet=True)) == whole


@pytest.mark.parametrize(
    "place", ["trials_loop.socket.gethostname", "trials_loop.train", "trials_loop.kept_step", "tune.conclude"]
)
def test_so_does_one_that_was_killed_outside_of_the_steps(place, mfd, whole):
    with pytest.raises(Killed):
        stop(mfd(), kill, place=place)
    assert outcome(tune(mfd(), options=wanted(), quiet=True)) == whole


def test_one_killed_while_it_read_the_test_set_is_closed_and_reads_it_to_the_end(mfd, whole):
    with pytest.raises(Killed):
        stop(mfd(), kill, place="conclusion.resume")
    with pytest.raises(UsageError, match=r"the test set has been read for trial .* would now choose none of its"):
        tune(mfd(), options=wanted(rule="accuracy subject to deo_a >= 1"), quiet=True)
    assert outcome(tune(mfd(), options=wanted(test=False), quiet=True)) == whole


def test_ctrl_c_saves_and_the_same_search_goes_on(mfd, whole):
    with pytest.raises(TrainingError, match=r"stopped during trial 1; .* same command") as error:
        stop(mfd(), lambda: os.kill(os.getpid(), signal.SIGINT), step=10)
    assert error.value.signal_number == signal.SIGINT
    assert outcome(tune(mfd(), options=wanted(), quiet=True)) == whole


def test_a_closed_study_says_the_same_again_and_refuses_to_go_on(mfd, monkeypatch):
    first = tune(mfd(), options=wanted(), quiet=True)
    monkeypatch.setattr(working, "train", lambda *_a, **_k: pytest.fail("nothing is left to train"))
    assert tune(mfd(), options=wanted(), quiet=True) == first
    assert tune(mfd(), options=wanted(budget="1s"), quiet=True) == first
    other = (first.chosen + 1) % 3
    monkeypatch.setattr(Rule, "pick", lambda *_args: other)
    with pytest.raises(UsageError, match=rf"so this study is closed: the rule 'deo_m' would now choose trial {other};"):
        tune(mfd(), options=wanted(rule="deo_m"), quiet=True)


def test_more_trials_are_refused_when_the_test_set_is_read_and_not_before(mfd, tmp_path):
    search = {"mfd.strength": "0.3:30:log"}
    tune(mfd(steps=3), options=wanted(search=search, trials=1, test=False), quiet=True)
    again = tune(mfd(steps=3), options=wanted(search=search, trials=2, test=False), quiet=True)
    assert (len(again.trials), again.test) == (2, None)
    assert "The test set has not been read (--no-test)" in again.text()
    assert not any(RunFolder.open(path).finished for path in (tmp_path / "study").glob("trial-*"))
    tune(mfd(steps=3), options=wanted(search=search, trials=2), quiet=True)
    with pytest.raises(UsageError, match=r"the test set has been read for trial . \(20.*stays at its 2 trials"):
        tune(mfd(steps=3), options=wanted(search=search, trials=3), quiet=True)
    (tmp_path / "study/study.db").unlink()
    with pytest.raises(UsageError, match="the test set has been read"):
        tune(mfd(steps=3), options=wanted(search=search, trials=3), quiet=True)


def test_a_rule_and_the_front_may_be_of_the_balanced_accuracy(mfd):
    rule = "balanced_accuracy subject to balanced_accuracy >= teacher - 1"
    options = wanted(rule=rule, objectives="balanced_accuracy,deo_a", search={"mfd.strength": "0.5,3"}, test=False)
    result = tune(mfd(steps=3), options=options, quiet=True)
    best = max(each.validation.balanced_accuracy for each in result.trials)
    assert result.validation.balanced_accuracy == best
    assert 0 < best < 1
    assert result.chosen in result.front


def test_a_rule_may_be_of_every_metric_that_fix_knows(mfd):
    rule = "worst_subgroup subject to recall[b] >= teacher - 1 and equalised_odds <= 1"
    result = tune(mfd(steps=3), options=wanted(rule=rule, early_stopping=False), quiet=True)
    worst = {each.number: each.measures["worst_subgroup"] for each in result.trials}
    assert worst[result.chosen] == max(worst.values())
    for each in result.trials:
        assert each.measures["balanced_accuracy"] == pytest.approx(each.validation.balanced_accuracy)
        assert each.measures["deo_m"] == pytest.approx(each.validation.deo_m)
        assert 0 <= each.measures["calibration_error"] <= 1
    assert TuneResult.read(result.out) == result
    found = RunFolder.open(result.run).result
    right = np.diagonal(np.array(found["counts"]), axis1=1, axis2=2) / np.array(found["counts"]).sum(axis=2)
    assert result.test.measures["worst_subgroup"] == pytest.approx(right.min())
    (row,) = [line.split() for line in result.text().splitlines() if line.startswith("Worst subgroup")]

    assert row[2:5] == [f"{100 * value:.2f}%" for value in (
        worst[result.chosen], right.min(), result.teacher.measures["worst_subgroup"])]  # fmt: skip
    assert row[5:] == ["not", "measured"]


def test_a_class_that_the_data_does_not_have_is_an_error_before_anything_is_trained(mfd, tmp_path):
    with pytest.raises(UsageError, match=r"names recall\[cat\], but the data has no class 'cat'; choose from"):
        tune(mfd(), options=wanted(rule="deo_a subject to recall[cat] >= 0.5"), quiet=True)
    assert not (tmp_path / "study").exists()


def test_a_trial_of_an_older_study_is_not_chosen_by_what_it_did_not_record(mfd, tmp_path, monkeypatch):
    monkeypatch.setattr("fairdistill.tuning.trials_loop.kept", lambda *_: {})
    tune(mfd(steps=3), options=wanted(test=False), quiet=True)
    with pytest.raises(UsageError, match="worst_group is undefined"):
        tune(mfd(steps=3), options=wanted(rule="worst_group", test=False), quiet=True)


def test_a_rule_that_nothing_keeps_says_how_near_they_came_and_the_study_stays(mfd, tmp_path):
    with pytest.raises(UsageError, match=r"meets the rule .*; trial \d comes closest: .* misses accuracy >= teacher"):
        tune(mfd(steps=3), options=wanted(rule="deo_a subject to accuracy >= teacher + 0.9"), quiet=True)
    assert json.loads((tmp_path / "study/tune.json").read_text())["chosen"] is None
    result = tune(mfd(steps=3), options=wanted(), quiet=True)
    assert result.test is not None


def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(mfd, monkeypatch):
    def fail():
        raise NonFiniteLossError("the loss part 'mfd' is not finite at step 2")

    in_step(2, fail)(monkeypatch)
    result = tune(mfd(), options=wanted(), quiet=True)
    first, *others = result.trials
    assert (first.state, first.validation) == ("failed", None)
    assert "not finite at step 2" in first.error
    assert [each.state for each in others] == ["finished", "finished"]
    assert result.chosen in (1, 2)


def test_if_all_fail_there_is_nothing_to_choose_from(mfd, monkeypatch):
    def fail(*_args, **_kwargs):
        raise NonFiniteLossError("it is not finite")

    monkeypatch.setattr(loop, "train_step", fail)
    with pytest.raises(UsageError, match=r"none of the 3 trials finished, .* \(trial 0: it is not finite\); increase"):
        tune(mfd(), options=wanted(), quiet=True)


def test_a_beaten_trial_is_stopped_early_and_never_chosen(mfd, monkeypatch):
    seen = []

    def beaten(history, finished, *, steps, objectives, noise):
        seen.append((sorted(history), sorted(finished)))
        assert (steps, objectives) == (12, ("accuracy", "deo_a"))
        return 0 if finished and len(history) == 2 else None

    monkeypatch.setattr(working, "beaten_by", beaten)
    result = tune(mfd(steps=12), options=wanted(), quiet=True)
    assert [each.state for each in result.trials] == ["finished", "stopped early", "stopped early"]
    stopped = result.trials[1]
    assert (stopped.steps, stopped.beaten_by) == (6, 0)
    assert stopped.validation is not None
    assert (result.chosen, result.front) == (0, (0,))
    assert ([3, 6], [0]) in seen
    assert "stopped early at step 6, beaten by trial 0" in result.text()


@pytest.mark.parametrize("changes", [{"early_stopping": False}, {"search": {"batch_size": "12,22"}}])
def test_without_early_stopping_or_with_other_batches_nothing_is_stopped(changes, mfd, monkeypatch):
    monkeypatch.setattr(working, "beaten_by", lambda *_a, **_k: pytest.fail("nobody asks"))
    result = tune(mfd(), options=wanted(**changes), quiet=True)
    assert {each.state for each in result.trials} == {"finished"}


def test_a_trial_in_another_process_is_left_to_it(mfd, tmp_path):
    with pytest.raises(Killed):
        stop(mfd(), kill, step=4)
    held = folder.claim(tmp_path / "study", 0)
    result = tune(mfd(), options=wanted(), quiet=True)
    assert [each.state for each in result.trials] == ["in hand", "finished", "finished"]
    assert result.test is None
    shown = result.text()
    assert "Chosen so far: trial" in shown
    assert "Trial 0 is still running in " in shown
    held.release()
    assert tune(mfd(), options=wanted(), quiet=True).test is not None


def test_a_trial_of_another_machine_is_left_alone(mfd, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        with pytest.raises(Killed):
            stop(mfd(), kill, step=4)
    result = tune(mfd(), options=wanted(), quiet=True)
    assert result.trials[0].state == "in hand"
    assert (result.trials[0].host, result.test) == ("elsewhere", None)


def test_machines_share_a_study_through_a_storage(mfd, tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    search = {"mfd.strength": "0.3:30:log"}
    here, there = mfd(steps=3, out=str(tmp_path / "here")), mfd(steps=3, out=str(tmp_path / "there"))
    tune(here, options=wanted(search=search, trials=2, storage=url, test=False), quiet=True)
    result = tune(there, options=wanted(search=search, trials=4, storage=url, test=False), quiet=True)
    assert [Path(each.folder).parent.name for each in result.trials] == ["here"] * 2 + ["there"] * 2
    assert len({each.settings["mfd.strength"] for each in result.trials}) == 4
    chosen_at = Path(result.trials[result.chosen].folder).parent.name
    first, second = (here, there) if chosen_at == "there" else (there, here)
    unread = tune(first, options=wanted(search=search, trials=4, storage=url), quiet=True)
    assert unread.test is None
    assert "Run the same command there to read it" in unread.text()
    read = tune(second, options=wanted(search=search, trials=4, storage=url), quiet=True)
    assert read.test is not None
    assert tune(first, options=wanted(search=search, trials=4, storage=url), quiet=True).test == read.test
    with pytest.raises(UsageError, match="with another --out and another --study"):
        tune(first, options=wanted(search=search, trials=5, storage=url), quiet=True)


def test_another_study_is_refused_and_the_difference_named(mfd, tmp_path):
    given = {"trials": 1, "test": False}
    tune(mfd(steps=3), options=wanted(**given), quiet=True)
    for options, search, said in [
        ({"steps": 4}, {}, "steps 3, not 4"),
        ({"seed": 1}, {}, "seed 0, not 1"),
        ({"method": "ss"}, {"search": {"lr": "1,2,3"}}, "method mfd, not ss"),
        ({"set": {"mfd.bandwidth": 2}}, {}, "set mfd.bandwidth 1.0, not 2.0"),
        ({}, {"search": {"mfd.strength": "0.5,3"}}, "search mfd.strength 0.5, 3, 20, not 0.5, 3"),
        ({}, {"sampler": "tpe"}, "sampler grid, not tpe"),
        ({}, {"objectives": "accuracy,deo_m"}, "objectives accuracy, deo_a, not accuracy, deo_m"),
        ({}, {"study": "other"}, "study tiny-mfd-seed0, not other"),
        ({}, {"storage": "sqlite:////nowhere/x.db"}, "storage in this folder, not sqlite:////nowhere/x.db"),
    ]:
        with pytest.raises(RunFolderError) as error:
            tune(mfd(**{"steps": 3, **options}), options=wanted(**{**given, **search}), quiet=True)
        assert f"study already holds a study with {said}; choose another folder with --out" in str(error.value)


def test_another_teacher_and_another_study_in_a_storage_are_named(mfd, tmp_path, make_teacher):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    given = {"trials": 1, "storage": url, "study": "one", "test": False}
    tune(mfd(steps=3), options=wanted(**given), quiet=True)
    other = mfd(steps=3, teacher=make_teacher(), out=str(tmp_path / "other"))
    with pytest.raises(
        UsageError, match=r"the study one in sqlite.* has a different teacher; choose another name with"
    ):
        tune(other, options=wanted(**given), quiet=True)
    assert not (tmp_path / "other").exists()
    tune(other, options=wanted(**given | {"study": "two"}), quiet=True)
    storage = optuna.storages.RDBStorage(url)
    optuna.create_study(storage=storage, study_name="three", directions=["maximize"] * 3)
    storage.engine.dispose()
    with pytest.raises(UsageError, match="was not created by fairdistill tune; choose another name with --study"):
        tune(mfd(steps=3, out=str(tmp_path / "third")), options=wanted(**given | {"study": "three"}), quiet=True)


def test_a_run_folder_of_another_study_is_not_taken_for_a_trial(mfd, tmp_path):
    tune(mfd(steps=3), options=wanted(trials=1, test=False), quiet=True)
    shutil.copytree(tmp_path / "study/trial-0", tmp_path / "study/trial-1")
    with pytest.raises(RunFolderError, match="trial-1 is not a trial of this study"):
        tune(mfd(steps=3), options=wanted(test=False), quiet=True)


def test_validation_rows_that_lack_a_cell_are_named_before_anything_is_written(quick, tmp_path):
    options = quick(method="ss", data_options={"missing_cell": True}, out=str(tmp_path / "study"))
    with pytest.raises(DataError, match=r"tiny/val has no samples of \(c, y\), so DEO is undefined"):
        tune(options, options=TuneOptions(search={"lr": "1,2"}, rule=ANY), quiet=True)
    assert not (tmp_path / "study").exists()


def test_the_budget_ends_the_search_between_trials(mfd, monkeypatch):
    monkeypatch.setattr("fairdistill.system.clock.Clock.has_room", lambda _self: False)
    result = tune(mfd(steps=3), options=wanted(budget="1h"), quiet=True)
    assert len(result.trials) == 1
    assert result.test is not None


def test_a_budget_that_is_too_short_says_what_is_enough(mfd, tmp_path):
    with pytest.raises(UsageError, match=r"--budget of 1 s is too short: one trial takes about .* at least --budget"):
        tune(mfd(steps=10**6), options=wanted(budget="1s"), quiet=True)
    assert not (tmp_path / "study").exists()


def test_noise_is_of_the_validation_rows(mfd, monkeypatch):
    seen = []
    original = Noise.of

    def of(counts, rows):
        seen.append((counts.tolist(), rows))
        return original(counts, rows)

    monkeypatch.setattr(Noise, "of", of)
    tune(mfd(steps=3), options=wanted(trials=1, test=False), quiet=True)
    assert seen == [([[1, 1]] * 3, 6)]
