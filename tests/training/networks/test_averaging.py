from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import read_weights
from fairdistill.training import TrainOptions, loop, resume, train
from fairdistill.training.networks.averaging import WeightAverage
from fairdistill.training.progress import state
from fairdistill.training.progress.evaluation import share_statistics
from fairdistill.training.progress.state import load_checkpoint
from tests.stops import Killed, in_step, kill
from tests.training.test_resume import assert_same, assert_same_model, stopped


class Counting(nn.Module):
    """Batch-norm, and a buffer of indices that no rounding may touch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3)
        self.order: torch.Tensor
        self.register_buffer("order", torch.arange(64))

    def forward(self, images):
        return self.head(self.norm(self.conv(images)).mean((2, 3)))


def trained_by_hand(decay, steps):
    """The average of a network trained for some steps, and the state of the network before and after each."""
    torch.manual_seed(0)
    network = Counting().to(memory_format=torch.channels_last)
    average = WeightAverage(network, decay)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    states = [{name: value.clone() for name, value in network.state_dict().items()}]
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(8, 3, 6, 6)).square().sum().backward()
        optimizer.step()
        average.update(network)
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    return average, states


@pytest.mark.parametrize("decay", [0.3, 0.99])
def test_weights_and_statistics_are_averaged_and_integers_copied(decay):
    average, states = trained_by_hand(decay, 12)
    expected = states[0]
    for done, now in enumerate(states[1:]):
        kept = min(decay, (1 + done) / (10 + done))
        expected = {name: kept * expected[name] + (1 - kept) * now[name] for name in now}
    found = average.network.state_dict()
    for name in ("conv.weight", "norm.running_mean", "norm.running_var", "head.bias"):
        torch.testing.assert_close(found[name], expected[name])
        assert not torch.allclose(found[name], states[-1][name], rtol=1e-4), f"{name} is the last"
    assert torch.equal(found["order"], torch.arange(64))
    assert int(found["norm.num_batches_tracked"]) == 12
    assert average.network.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert not average.network.training


def test_with_a_decay_close_to_one_the_initial_weights_are_forgotten_soon():
    average, states = trained_by_hand(0.9999, 60)
    moved = states[-1]["head.weight"] - states[0]["head.weight"]
    left = states[-1]["head.weight"] - average.network.state_dict()["head.weight"]
    assert left.norm() < 0.5 * moved.norm()


@pytest.mark.parametrize("bad", [1.0, -0.1, 2.0, float("nan")])
def test_a_decay_outside_its_range_is_named(bad):
    with pytest.raises(UsageError, match=r"expected ema to be a decay in \[0, 1\)"):
        TrainOptions(ema=bad)


def test_the_average_is_evaluated_kept_and_tested_and_the_steps_are_as_without(quick, tmp_path, monkeypatch):
    averages = []

    def saved(path, content):
        averages.append(content["average"])
        original(path, content)

    original = state.save_checkpoint
    with_rates = {"schedule": "constant", "keep": "last"}
    plain = train(quick(out=str(tmp_path / "plain"), **with_rates), quiet=True)
    monkeypatch.setattr(state, "save_checkpoint", saved)
    run = train(quick(ema=0.5, **with_rates), quiet=True)
    own, others = run.read_log(), plain.read_log()
    assert [row["loss"] for row in own] == [row["loss"] for row in others]
    assert all(a["evaluation"]["loss"] != b["evaluation"]["loss"] for a, b in zip(own, others, strict=True))
    kept, _ = read_weights(run.path / "model.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in averages[-1]["network"].items())
    assert run.result["checkpoint_step"] == 12
    checkpoints = [load_checkpoint(each.checkpoint_path)["student"] for each in (run, plain)]
    assert all(torch.equal(checkpoints[0][name], checkpoints[1][name]) for name in checkpoints[0])


def test_the_best_evaluation_of_the_average_is_kept(quick, tmp_path, judged_as):
    def run(name, **changes):
        with judged_as(cell_loss=[3.0, 1.0, 2.0, 1.5][: changes["steps"] // 3]):
            return train(quick(ema=0.9, schedule="constant", out=str(tmp_path / name), **changes), quiet=True)

    four = run("four", steps=12)
    assert four.result["checkpoint_step"] == 6
    assert_same_model(four, run("two", steps=6))


@pytest.mark.parametrize("method", ["scratch", "di"])
def test_a_killed_run_with_an_average_goes_on_to_the_same_bits(quick, tiny_teacher, tmp_path, method):
    def options(name):
        return quick(method=method, teacher=tiny_teacher, ema=0.9, schedule="cosine", out=str(tmp_path / name))

    whole = train(options("whole"), quiet=True)
    with stopped(in_step(8, kill), Killed):
        train(options("cut"), quiet=True)
    again = resume(tmp_path / "cut", quiet=True)
    assert_same(again, whole)
    ours, theirs = (load_checkpoint(each.checkpoint_path)["average"] for each in (again, whole))
    assert ours["updates"] == theirs["updates"] == 12
    assert all(torch.equal(ours["network"][name], theirs["network"][name]) for name in ours["network"])


def test_several_processes_share_the_statistics_of_the_average_too():
    average, _ = trained_by_hand(0.9, 3)
    other, _ = trained_by_hand(0.9, 3)

    def summed(buffers):
        for buffer in buffers:
            buffer.mul_(3)

    learner = SimpleNamespace(student=SimpleNamespace(network=other.network), evaluated=average.network)
    share_statistics(learner, SimpleNamespace(alone=False, size=2, sum_=summed))
    for network in (average.network, other.network):
        expected = 1.5 * trained_by_hand(0.9, 3)[0].network.norm.running_mean
        torch.testing.assert_close(network.norm.running_mean, expected)


def test_a_compiled_student_is_averaged(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda network: network.__call__)
    runs = [train(quick(ema=0.9, compile=each, out=str(tmp_path / str(each))), quiet=True) for each in (True, False)]
    assert_same_model(*runs)


def test_without_the_option_nothing_is_averaged(quick, monkeypatch):
    monkeypatch.setattr(WeightAverage, "update", None)
    seen = []
    step = loop.train_step
    monkeypatch.setattr(
        loop, "train_step", lambda learner, *a, **k: (seen.append(learner.average), step(learner, *a, **k))[1]
    )
    run = train(quick(), quiet=True)
    assert set(seen) == {None}
    assert load_checkpoint(run.checkpoint_path)["average"] is None
