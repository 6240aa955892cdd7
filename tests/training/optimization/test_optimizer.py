from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fairdistill.models.dropout import Dropout
from fairdistill.training import prepare
from fairdistill.training.optimization.optimizer import build_optimizer
from fairdistill.training.progress.learner import build_learner


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_the_runs_optimizer_is_the_chosen_one(quick, optimizer):
    made = build_optimizer(quick(optimizer=optimizer, lr=0.5, weight_decay=0.25).learning, nn.Linear(1, 1))
    assert type(made).__name__.lower() == optimizer
    assert (made.param_groups[0]["lr"], made.param_groups[0]["weight_decay"]) == (0.5, 0.25)
    assert made.param_groups[0].get("momentum", 0.9) == 0.9


def stepped(optimizer: torch.optim.Optimizer, network: nn.Module, steps: int) -> None:
    for step in range(steps):
        inputs = torch.rand(4, 37, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        network(inputs).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_fused_optimizer_differs_in_last_digits_only_and_resumes_to_the_bit(quick, optimizer):
    learning = quick(optimizer=optimizer, lr=0.01, weight_decay=0.1).learning
    networks = [nn.Linear(37, 5) for _ in range(4)]
    for network in networks[1:]:
        network.load_state_dict(networks[0].state_dict())
    usual, fused, before, after = networks
    stepped(build_optimizer(learning, usual), usual, 6)
    made = build_optimizer(learning, fused, fused=True)
    assert made.defaults["fused"]
    stepped(made, fused, 6)
    torch.testing.assert_close(fused.weight, usual.weight, rtol=1e-5, atol=1e-6)

    first = build_optimizer(learning, before, fused=True)
    stepped(first, before, 2)
    after.load_state_dict(before.state_dict())
    second = build_optimizer(learning, after, fused=True)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    stepped(first, before, 4)
    stepped(second, after, 4)
    assert torch.equal(before.weight, after.weight)


def test_a_checkpoint_of_an_unfused_optimizer_goes_on_unfused(quick):
    """As a run of an earlier version does, so that it ends with the numbers it would have had."""
    learning, network = quick(optimizer="adam").learning, nn.Linear(37, 5)
    usual, fused = build_optimizer(learning, network), build_optimizer(learning, network, fused=True)
    stepped(usual, network, 1)
    fused.load_state_dict(usual.state_dict())
    assert fused.param_groups[0]["fused"] is None


@pytest.mark.parametrize(("protocol", "quick_step"), [("honest", True), ("paper", False)])
def test_only_the_honest_protocol_takes_what_changes_numbers(quick, protocol, quick_step):
    setup = prepare(quick(protocol=protocol))
    group = build_learner(setup, None).optimizer.param_groups[0]
    assert (group["fused"], group["foreach"]) == (True if quick_step else None, None)  # PyTorch chooses
    blocks = [module.blocks for module in setup.student.network.modules() if isinstance(module, Dropout)]
    assert blocks == [quick_step] * 3
