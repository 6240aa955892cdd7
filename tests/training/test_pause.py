from __future__ import annotations

import math

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.models import read_weights
from fairdistill.training import loop, resume, train
from fairdistill.training.progress.state import load_checkpoint
from tests.training.test_resume import assert_same


@pytest.fixture
def options(quick, tiny_teacher, tmp_path):
    def of(name, **changes):
        given = {"method": "ss+fitnet", "teacher": tiny_teacher, "schedule": "cosine", "ema": 0.9, "steps": 12}
        return quick(**{**given, **changes}, out=str(tmp_path / name))

    return of


# The warm-up ends after the fourth step; evaluations follow steps 3, 4, 7, 10 and 12.
@pytest.mark.parametrize("pauses", [(6,), (3, 4, 7), (1, 1, 11, 12), (12,)])
def test_a_paused_run_goes_on_to_the_same_bits(options, pauses):
    whole = train(options("whole"), quiet=True)
    first, *others = pauses
    run = train(options("paused"), quiet=True, until=first, hold_test=True)
    assert load_checkpoint(run.checkpoint_path)["step"] == first
    for until in others:
        run = resume(run.path, quiet=True, until=until, hold_test=True)
        assert load_checkpoint(run.checkpoint_path)["step"] == until
    assert not run.finished
    assert_same(resume(run.path, quiet=True), whole)


def test_a_pause_leaves_the_test_set_unread_and_the_last_step_does_not(options):
    seen = []
    run = train(options("run"), quiet=True, until=7, watch=lambda row: seen.append(row["step"]))
    assert not run.finished
    assert not list(run.path.glob("*predictions.csv"))
    assert seen == [row["step"] for row in run.read_log()] == [3, 4, 7]
    assert resume(run.path, quiet=True, until=99).finished


def test_a_pause_where_no_evaluation_is_due_adds_none(options):
    run = train(options("run"), quiet=True, until=5)
    assert [row["step"] for row in run.read_log()] == [3, 4]


def test_at_a_pause_the_weights_that_would_be_kept_now_are_written(options, judged_as):
    with judged_as(cell_loss=[9.0, 8.0, 1.0, 2.0]):  # the first two belong to the warm-up
        run = train(options("run"), quiet=True, until=10)
        kept, _ = read_weights(run.path / "model.safetensors")
        checkpoint = load_checkpoint(run.checkpoint_path)
    assert checkpoint["best_step"] == 7
    assert all(torch.equal(kept[name], value) for name, value in checkpoint["best"].items())


def test_before_the_first_evaluation_these_are_the_averaged_ones(options):
    run = train(options("run"), quiet=True, until=2)
    kept, _ = read_weights(run.path / "model.safetensors")
    average = load_checkpoint(run.checkpoint_path)["average"]["network"]
    assert all(torch.equal(kept[name], value) for name, value in average.items())


def test_the_schedule_covers_the_whole_run(options):
    run = train(options("run", method="scratch", lr=0.01), quiet=True, until=6)
    rates = [row["lr"] for row in run.read_log()]
    assert rates == pytest.approx([0.01 * (1 + math.cos(math.pi * step / 12)) / 2 for step in (2, 5)])


def test_a_pause_that_was_passed_already_trains_nothing(options, monkeypatch):
    run = train(options("run"), quiet=True, until=6)
    before = run.checkpoint_path.stat().st_mtime_ns
    monkeypatch.setattr(loop, "train_step", None)
    resume(run.path, quiet=True, until=4)
    assert run.checkpoint_path.stat().st_mtime_ns == before
    assert not run.finished


@pytest.mark.parametrize("bad", [0, -1])
def test_a_pause_before_the_first_step_is_refused_and_nothing_is_written(options, tmp_path, bad):
    with pytest.raises(UsageError, match="expected until to be at least 1 step"):
        train(options("run"), quiet=True, until=bad)
    assert not (tmp_path / "run").exists()
