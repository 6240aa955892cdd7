from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.training import loop, prepare, resume, train
from fairdistill.training.machine import pace
from fairdistill.training.machine.cost import estimate
from fairdistill.training.machine.pace import chooses_threads, fastest, time_steps
from fairdistill.training.progress import adapting
from fairdistill.training.progress.state import load_checkpoint
from fairdistill.training.setup import training_pipeline

AUTO = {"threads": "auto"}


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def steps_that_take(monkeypatch, four_threads):
    """Pretend that steps take as long as a mapping from the number of threads says."""

    def take(seconds: dict[int, float]) -> list[int]:
        timed: list[int] = []

        def step(_number: int) -> float:
            timed.append(torch.get_num_threads())
            return seconds[timed[-1]]

        monkeypatch.setattr(pace, "_step", lambda setup, pipeline: step)
        monkeypatch.setattr(pace, "_LEAST_ROUNDS", 3)
        return timed

    return take


@pytest.mark.parametrize(
    ("one", "many", "chosen"),
    [
        ([0.10, 0.10, 0.10], [0.05, 0.05, 0.05], 4),
        ([0.10, 0.10, 0.10], [0.20, 0.20, 0.20], 1),
        ([0.10, 0.10, 0.10], [0.095, 0.095, 0.095], 1),  # not worth it
        ([0.10, 0.10, 0.10], [3.00, 0.05, 0.05], 4),  # the first step starts the threads
        ([0.10, 0.10, 0.10, 0.1, 0.1], [0.05, 0.9, 0.8, 0.9, 0.9], 1),
    ],
)
def test_all_threads_are_used_if_they_are_clearly_faster(one, many, chosen):
    assert fastest({1: one, 4: many}) == chosen


def test_steps_are_timed_in_turn_and_nothing_is_left_changed(quick, steps_that_take):
    timed = steps_that_take({1: 0.2, 4: 0.1})
    setup = prepare(quick(**AUTO))
    assert time_steps(setup, training_pipeline(setup)) == (4, 0.1)
    assert timed == [1, 4] * 3
    assert torch.get_num_threads() == 4


def test_longer_runs_time_more_steps_and_slow_ones_fewer(quick, steps_that_take, monkeypatch):
    timed = steps_that_take({1: 0.1, 4: 0.1})
    setup = prepare(quick(**AUTO, steps=300))
    time_steps(setup, training_pipeline(setup))
    assert timed == [1, 4] * 6
    monkeypatch.setattr(pace, "_ENOUGH_SECONDS", -1.0)
    time_steps(setup, training_pipeline(setup))
    assert timed == [1, 4] * 9


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_given_number_is_not_timed_against_others(threads, quick, steps_that_take):
    timed = steps_that_take({1: 0.1, 2: 0.2, 4: 0.1})
    before = torch.get_num_threads()
    try:
        setup = prepare(quick(threads=threads))
        assert not chooses_threads(setup)
        assert estimate(setup, training_pipeline(setup)).threads == threads
    finally:
        torch.set_num_threads(before)
    assert set(timed) == {threads}


@pytest.mark.parametrize("choice", ["auto", None])
def test_a_run_chooses_its_threads_and_records_them(choice, quick, steps_that_take):
    steps_that_take({1: 0.1, 4: 0.2})
    run = train(quick(threads=choice), quiet=True)
    assert run.environment["threads"] == 1
    assert run.environment["device"] == "cpu (1 thread), float32"
    assert run.config["threads"] == choice
    assert load_checkpoint(run.checkpoint_path)["threads"]["number"] == 1
    assert torch.get_num_threads() == 4  # the caller's


def test_a_process_with_one_thread_and_compiled_runs_time_nothing_again(quick, four_threads):
    torch.set_num_threads(1)
    setup = prepare(quick(**AUTO))
    assert not chooses_threads(setup)
    assert chooses_threads(replace(setup, most_threads=2))


def used(monkeypatch) -> list[int]:
    """Record the number of threads of every training step."""
    found: list[int] = []
    step = loop.train_step

    def recorded(*args, **keywords):
        found.append(torch.get_num_threads())
        return step(*args, **keywords)

    monkeypatch.setattr(loop, "train_step", recorded)
    return found


def test_threads_are_chosen_again_when_the_machine_changes(quick, steps_that_take, monkeypatch):
    steps_that_take({1: 0.1, 4: 0.05})
    monkeypatch.setattr(adapting, "_LEAST_STEPS", 3)
    asked: list[float] = []

    def busier_after_the_second(before: float, now: float, *, factor: float) -> bool:
        asked.append(now)
        steps_that_take({1: 0.1, 4: 0.5})
        return len(asked) == 1

    monkeypatch.setattr(adapting, "changed", busier_after_the_second)
    found = used(monkeypatch)
    run = train(quick(**AUTO), quiet=True)
    assert found == [4] * 6 + [1] * 6  # an epoch has 3 steps; the first is what later ones are compared with
    assert load_checkpoint(run.checkpoint_path)["threads"]["since"] == 6


def test_a_resumed_run_has_the_threads_it_had(quick, steps_that_take, monkeypatch):
    steps_that_take({1: 0.1, 4: 0.2})
    run = train(quick(**AUTO), quiet=True, until=6)
    steps_that_take({1: 0.1, 4: 0.05})
    found = used(monkeypatch)
    resume(run.path, quiet=True)
    assert found == [1] * 6


def test_a_run_killed_before_its_first_checkpoint_starts_with_the_threads_it_had(quick, steps_that_take, monkeypatch):
    steps_that_take({1: 0.1, 4: 0.2})
    run = train(quick(**AUTO), quiet=True, until=3)
    run.checkpoint_path.unlink()
    found = used(monkeypatch)
    resume(run.path, quiet=True)
    assert found == [1] * 12


def test_a_resumed_run_has_no_more_threads_than_there_are(quick, steps_that_take, monkeypatch):
    steps_that_take({1: 0.1, 4: 0.05})
    run = train(quick(**AUTO), quiet=True, until=6)
    torch.set_num_threads(2)
    found = used(monkeypatch)
    resume(run.path, quiet=True)
    assert found == [2] * 6
