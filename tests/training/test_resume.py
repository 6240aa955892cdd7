from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from fairdistill import data
from fairdistill.caching import FeatureStore
from fairdistill.errors import RunFolderError, TrainingError
from fairdistill.models import read_weights
from fairdistill.predictions.trained.evaluation import evaluate
from fairdistill.runs.folder import RunFolder
from fairdistill.training import Interrupted, loop, resume, train
from fairdistill.training.progress import evaluation, state
from fairdistill.training.progress.state import load_checkpoint
from tests.all_methods import BEYOND_THE_PAPER
from tests.conftest import TINY
from tests.stops import Killed, at_call, in_step, kill

# Balanced with a teacher; with an optimizer of its own; in two stages; with weights that each step moves; with heads
# that are no part of the student; and those that keep nothing.
METHODS = ["mfd", "ad", "ss+fitnet", *BEYOND_THE_PAPER]


def while_saving(number):
    # the log has its row already, the checkpoint is still the former one
    return lambda patch: patch.setattr(state, "save_checkpoint", at_call(number, kill, state.save_checkpoint))


def while_computing_the_teachers_outputs(patch):
    patch.setattr(FeatureStore, "_build", at_call(1, CTRL_C, FeatureStore._build))


def while_writing(name):
    return lambda patch: patch.setattr(RunFolder, name, at_call(1, kill, getattr(RunFolder, name)))


CTRL_C = partial(signal.raise_signal, signal.SIGINT)
TERMINATE = partial(signal.raise_signal, signal.SIGTERM)
HANG_UP = partial(signal.raise_signal, signal.SIGHUP)


@contextmanager
def stopped(patch_in, error, match=None) -> Iterator[Any]:
    """Expect what is within to be stopped by a patch, which is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch_in(patch)
        with pytest.raises(error, match=match) as caught:
            yield caught


# 12 steps with an evaluation and a checkpoint after every third; ss+fitnet changes its stage after the fourth.
STOPS = {
    "Ctrl-C within an epoch": (in_step(8, CTRL_C), Interrupted, 8),
    "Ctrl-C before the first evaluation": (in_step(2, CTRL_C), Interrupted, 2),
    "Ctrl-C before the first step": (while_computing_the_teachers_outputs, Interrupted, None),
    "killed before the first checkpoint": (in_step(2, kill), Killed, None),
    "killed within an epoch": (in_step(9, kill), Killed, None),
    "killed while saving": (while_saving(3), Killed, None),
    "killed while saving for the first time": (while_saving(1), Killed, None),
    "killed while writing the predictions": (while_writing("write_predictions"), Killed, None),
    "killed while writing the model": (while_writing("write_model"), Killed, None),
}


@pytest.fixture(scope="module")
def whole_runs():
    return {}


@pytest.fixture
def whole_run(whole_runs, quick, tiny_teacher, tmp_path_factory):
    """The uninterrupted run of a method, trained once."""

    def of(method):
        if method not in whole_runs:
            out = tmp_path_factory.mktemp("whole") / "run"
            whole_runs[method] = train(quick(method=method, teacher=tiny_teacher, out=str(out)), quiet=True)
        return whole_runs[method]

    return of


def of_another_seed(wanted, root, options):
    return TINY.load(wanted, root, replace(options, data_seed=1))


def without_time(row):
    return {
        key: value for key, value in row.items() if key not in ("seconds", "samples_per_second", "peak_memory_bytes")
    }


def assert_same_model(run, other):
    (own, of_own), (others, of_other) = (read_weights(each.path / "model.safetensors") for each in (run, other))
    assert own.keys() == others.keys()
    assert [name for name in own if not torch.equal(own[name], others[name])] == []
    assert of_own == of_other


def assert_same(run, other):
    assert_same_model(run, other)
    for name in ("predictions.csv", "teacher_predictions.csv"):
        assert (run.path / name).read_bytes() == (other.path / name).read_bytes(), name
    assert [without_time(row) for row in run.read_log()] == [without_time(row) for row in other.read_log()]
    assert without_time(run.result) == without_time(other.result)
    assert {**run.config, "out": ""} == {**other.config, "out": ""}


WITHIN_AN_EPOCH = ["Ctrl-C within an epoch", "killed within an epoch"]


@pytest.mark.parametrize(
    ("stop", "method"),
    [
        *((stop, method) for stop in WITHIN_AN_EPOCH for method in METHODS),
        *((stop, "ss+fitnet") for stop in STOPS if stop not in WITHIN_AN_EPOCH),
    ],
)
def test_a_stopped_run_goes_on_to_the_same_bits(quick, tiny_teacher, whole_run, stop, method):
    patch_in, error, saved_at = STOPS[stop]
    options = quick(method=method, teacher=tiny_teacher)
    with stopped(patch_in, error) as caught:
        train(options, quiet=True)
    run = RunFolder.open(options.out)
    assert not run.finished
    if saved_at:
        assert caught.value.signal_number == signal.SIGINT
        assert f"step {saved_at} of 12" in str(caught.value)
        assert f"--resume {run.path}" in str(caught.value)
    assert_same(resume(run.path, quiet=True), whole_run(method))


def test_a_run_stopped_again_and_again_goes_on_to_the_same_bits(quick, tiny_teacher, whole_run):
    options = quick(method="ad", teacher=tiny_teacher)
    for start in (train, resume, resume):
        with stopped(in_step(3, TERMINATE), Interrupted):
            start(options if start is train else options.out, quiet=True)
    assert_same(resume(options.out, quiet=True), whole_run("ad"))


def test_a_stop_at_the_last_step_needs_no_more_training(quick, tiny_teacher, whole_run, monkeypatch):
    options, whole = quick(method="mfd", teacher=tiny_teacher), whole_run("mfd")
    with stopped(in_step(12, CTRL_C), Interrupted, "step 12 of 12"):
        train(options, quiet=True)
    monkeypatch.setattr(loop, "train_step", None)
    assert_same(resume(options.out, quiet=True), whole)


def test_cosine_momentum_and_the_paper_protocol_go_on(quick, tmp_path):
    def options(name):
        return quick(out=str(tmp_path / name), protocol="paper", schedule="cosine", optimizer="sgd", lr=0.05)

    whole = train(options("whole"), quiet=True)
    with stopped(in_step(11, kill), Killed):
        train(options("cut"), quiet=True)
    resumed = resume(tmp_path / "cut", quiet=True)
    assert_same_model(resumed, whole)
    assert [row["lr"] for row in resumed.read_log()] == [row["lr"] for row in whole.read_log()]


def test_randaug_and_one_cycle_go_on(quick, tiny_teacher, tmp_path):
    def options(name):
        given = {"method": "hkd", "teacher": tiny_teacher, "augment": "randaug", "schedule": "onecycle"}
        return quick(out=str(tmp_path / name), **given)

    whole = train(options("whole"), quiet=True)
    with stopped(in_step(8, kill), Killed):
        train(options("cut"), quiet=True)
    assert_same(resume(tmp_path / "cut", quiet=True), whole)


@pytest.mark.parametrize(
    "given",
    [
        {"recipe": "fast", "lr_warmup": 0.3, "schedule": "linear"},
        {"optimizer": "muon", "scratch_weights": "he", "cutout": 4, "label_smoothing": 0.2},
        {"optimizer": "nesterov", "whitening": "trained", "schedule": "cosine", "alternating_flip": True},
    ],
    ids=["fast", "muon", "nesterov"],
)
def test_a_recipe_and_its_parts_go_on(quick, tiny_teacher, tmp_path, given):
    def options(name):
        return quick(out=str(tmp_path / name), method="mfd", teacher=tiny_teacher, **given)

    whole = train(options("whole"), quiet=True)
    with stopped(in_step(8, kill), Killed):
        train(options("cut"), quiet=True)
    assert_same(resume(tmp_path / "cut", quiet=True), whole)


def test_the_patience_of_the_rate_goes_on(quick, judged_as):
    options = quick(batch_size=66, steps=16)  # an evaluation after every step
    with judged_as(cell_loss=[1.0] * 16):
        with stopped(in_step(8, kill), Killed):
            train(options, quiet=True)
        rows = resume(options.out, quiet=True).read_log()
    assert [row["lr"] for row in rows] == pytest.approx([0.003] * 12 + [0.0003] * 4)


def test_the_best_model_so_far_goes_on(quick, judged_as, tmp_path):
    def options(name):
        return quick(out=str(tmp_path / name))

    losses = [1.0, 2.0, 3.0, 4.0]
    with judged_as(cell_loss=losses):
        whole = train(options("whole"), quiet=True)
    with judged_as(cell_loss=losses):
        with stopped(in_step(8, kill), Killed):  # after two evaluations
            train(options("cut"), quiet=True)
        resumed = resume(tmp_path / "cut", quiet=True)
    assert resumed.result["checkpoint_step"] == whole.result["checkpoint_step"] == 3
    assert_same_model(resumed, whole)


def test_after_a_stop_signals_act_as_before(quick):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopped(in_step(1, TERMINATE), Interrupted) as caught:
        train(quick(), quiet=True)
    assert caught.value.signal_number == signal.SIGTERM
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_in_the_background_goes_on_after_ctrl_c_and_the_end_of_the_terminal_and_is_stopped_by_sigterm(quick):
    def all_three():
        CTRL_C()
        HANG_UP()
        TERMINATE()

    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        with stopped(in_step(2, all_three), Interrupted, "step 2 of 12") as caught:
            train(quick(), quiet=True)
        assert caught.value.signal_number == signal.SIGTERM
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_the_end_of_the_terminal_saves(quick):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with stopped(in_step(2, HANG_UP), Interrupted, "step 2 of 12") as caught:
            train(quick(), quiet=True)
        assert caught.value.signal_number == signal.SIGHUP
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_ctrl_c_does_not_wait_for_the_step(quick):
    def twice():
        CTRL_C()
        CTRL_C()

    options = quick()
    with stopped(in_step(2, twice), Interrupted, "^stopped; continue with: .*--resume") as caught:
        train(options, quiet=True)
    assert caught.value.signal_number == signal.SIGINT
    assert not RunFolder(Path(options.out)).checkpoint_path.exists()


def test_a_finished_run_is_not_resumed(tiny, tiny_teacher):
    before = {path: path.stat().st_mtime_ns for path in RunFolder.open(tiny_teacher).path.glob("*.*")}
    with pytest.raises(RunFolderError, match="finished already"):
        resume(tiny_teacher, quiet=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_run_in_use_is_not_resumed(tiny, make_teacher):
    run = RunFolder.open(make_teacher("run", finished=False))
    with run.lock(), pytest.raises(RunFolderError, match="in use"):
        resume(run.path, quiet=True)


def test_a_damaged_checkpoint_is_an_error_with_the_way_out(quick):
    with stopped(in_step(2, CTRL_C), Interrupted):
        train(quick(), quiet=True)
    run = RunFolder.open(quick().out)
    run.checkpoint_path.write_bytes(run.checkpoint_path.read_bytes()[:1000])
    with pytest.raises(RunFolderError, match=r"the checkpoint .*state.pt is damaged.*another --out"):
        resume(run.path, quiet=True)
    assert not run.finished


def test_a_changed_teacher_is_refused_before_its_outputs_are_computed(quick, make_teacher, monkeypatch):
    teacher = make_teacher()
    with stopped(in_step(2, CTRL_C), Interrupted):
        train(quick(method="mfd", teacher=teacher), quiet=True)
    (Path(teacher) / "model.safetensors").rename(Path(teacher).parent / "former")
    shutil.copy(Path(make_teacher("other")) / "model.safetensors", teacher)
    monkeypatch.setattr(FeatureStore, "_build", None)
    with pytest.raises(RunFolderError, match="its teacher changed since it was stopped; restore the former files, or"):
        resume(quick().out, quiet=True)


def test_everything_that_changed_is_named_in_words(quick, monkeypatch):
    with stopped(in_step(2, CTRL_C), Interrupted):
        train(quick(), quiet=True)
    monkeypatch.setitem(data.DATASETS, "tiny", replace(TINY, load=of_another_seed))
    with pytest.raises(RunFolderError, match="its training data changed since"):
        resume(quick().out, quiet=True)


def test_a_folder_that_was_moved_meanwhile_is_said_and_goes_on_where_it_is(quick, tiny_teacher, whole_run, tmp_path):
    options, moved = quick(method="mfd", teacher=tiny_teacher), tmp_path / "moved"
    with stopped(in_step(8, lambda: Path(options.out).rename(moved)), TrainingError, "was moved or removed during"):
        train(options, quiet=True)
    assert not Path(options.out).exists()
    assert_same(resume(moved, quiet=True), whole_run("mfd"))


def test_a_configuration_that_was_tampered_with_is_named(quick, make_teacher):
    path = make_teacher("run", finished=False, learning_rate=1)
    with pytest.raises(ValueError, match="no option 'learning_rate'"):
        resume(path, quiet=True)


def test_a_run_whose_test_set_is_held_back_is_judged_on_it_later_to_the_same_bits(
    quick, tiny_teacher, whole_run, monkeypatch
):
    whole = whole_run("mfd")
    seen = []

    def evaluated(logits, dataset, kind="logits"):
        seen.append(dataset.name)
        return evaluate(logits, dataset)

    monkeypatch.setattr(evaluation, "evaluate_outputs", evaluated)
    run = train(quick(method="mfd", teacher=tiny_teacher), quiet=True, hold_test=True)
    assert set(seen) == {"tiny/val"}
    assert not run.finished
    assert not list(run.path.glob("*predictions.csv"))
    monkeypatch.setattr(loop, "train_step", None)
    assert_same(resume(run.path, quiet=True), whole)
    assert seen.count("tiny/test") == 2, "the student's and the teacher's"


def test_a_stopped_run_can_be_resumed_with_its_test_set_held_back(quick):
    with stopped(in_step(8, CTRL_C), Interrupted):
        train(quick(), quiet=True)
    run = resume(quick().out, quiet=True, hold_test=True)
    assert run.read_log()[-1]["step"] == 12
    assert not run.finished


def test_a_watch_sees_every_row_of_the_log_with_the_state_saved(quick):
    seen = []

    def watch(row):
        state = load_checkpoint(RunFolder(Path(quick().out)).checkpoint_path)
        seen.append((row["step"], row["evaluation"]["cell_loss"], state["step"]))

    run = train(quick(), quiet=True, watch=watch)
    log = run.read_log()
    assert seen == [(row["step"], row["evaluation"]["cell_loss"], row["step"]) for row in log]
    assert [step for step, _, _ in seen] == [3, 6, 9, 12]


def test_what_a_watch_raises_ends_the_run_which_goes_on_to_the_same_bits(quick, tiny_teacher, whole_run):
    def until_six(row):
        if row["step"] == 6:
            raise Killed

    seen = []
    with pytest.raises(Killed):
        train(quick(method="mfd", teacher=tiny_teacher), quiet=True, watch=until_six)
    resumed = resume(quick().out, quiet=True, watch=lambda row: seen.append(row["step"]))
    assert seen == [9, 12]
    assert_same(resumed, whole_run("mfd"))
