from __future__ import annotations

import pytest
import torch
from torch import nn

from fairdistill.training.optimization.schedule import Schedule
from fairdistill.training.optimization.stages import Stage
from fairdistill.training.progress.state import load_checkpoint, save_checkpoint

MAIN = Stage("main", (), start=10, steps=8, evaluate_every=4, anneal_every=1)


def made(name):
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=0.1)
    return Schedule(name, optimizer, MAIN), optimizer


def test_the_rate_falls_to_a_tenth_after_ten_evaluations_without_improvement():
    schedule, optimizer = made("plateau")
    for loss in [2.0, 1.0] + [1.0] * 10:
        schedule.before_step(12)
        schedule.after_evaluation(loss)
        assert schedule.lr == optimizer.param_groups[0]["lr"] == 0.1
    schedule.after_evaluation(1.0)
    assert schedule.lr == pytest.approx(0.01)


def test_an_improvement_starts_the_patience_anew():
    schedule, _ = made("plateau")
    for loss in [1.0] * 11 + [0.5] + [1.0] * 10:
        schedule.after_evaluation(loss)
    assert schedule.lr == 0.1


def test_a_plateau_goes_on_from_a_checkpoint_where_it_was(tmp_path):
    schedule, optimizer = made("plateau")
    for loss in [1.0] * 7:
        schedule.after_evaluation(loss)
    save_checkpoint(tmp_path / "state.pt", {"schedule": schedule.state_dict(), "optimizer": optimizer.state_dict()})
    state = load_checkpoint(tmp_path / "state.pt")
    resumed, optimizer = made("plateau")
    optimizer.load_state_dict(state["optimizer"])
    resumed.load_state_dict(state["schedule"])
    rates = []
    for _ in range(5):
        resumed.after_evaluation(1.0)
        rates.append(resumed.lr)
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.01])


def test_the_cosine_keeps_the_first_rate_in_the_warmup_and_falls_towards_zero_in_the_main_stage():
    schedule, _ = made("cosine")
    rates = []
    for step in (0, 9, 10, 12, 14, 17):
        schedule.before_step(step)
        rates.append(schedule.lr)
    # (1 + cos(pi * done)) / 2 at 0, 1/4, 1/2 and 7/8 of the stage
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.0853553, 0.05, 0.0038060], abs=1e-6)


def test_one_cycle_is_that_of_pytorch():
    stage = Stage("main", (), start=10, steps=40, evaluate_every=4, anneal_every=1)
    ours, theirs = (torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=0.1) for _ in range(2))
    schedule = Schedule("onecycle", ours, stage)
    # PyTorch's highest rate is one step earlier, and its last step is at the lowest: 0.3 * 41 - 1 and 41 - 1 steps.
    peak = [step for step in range(10, 50) if (schedule.before_step(step), schedule.lr)[1] == 0.1]
    assert peak == [22]
    reference = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=0.1, total_steps=41, pct_start=13 / 41, cycle_momentum=False, final_div_factor=1e9
    )
    for step in range(10, 50):
        schedule.before_step(step)
        assert schedule.lr == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-9)
        theirs.step()
        reference.step()


@pytest.mark.parametrize("name", ["cosine", "onecycle", "constant"])
def test_other_schedules_ignore_the_losses_and_have_no_state(name):
    schedule, _ = made(name)
    for _ in range(20):
        schedule.after_evaluation(1.0)
    assert schedule.lr == 0.1
    assert schedule.state_dict() == {}
    schedule.load_state_dict({})


def test_a_constant_rate_stays():
    schedule, _ = made("constant")
    for step in range(18):
        schedule.before_step(step)
        assert schedule.lr == 0.1
