from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from fairdistill.system import eager

# Every method that trains; run in a process of its own, since a test process has long loaded everything.
TRAINED = """
import sys
from pathlib import Path
from fairdistill.training import TrainOptions, train

out = Path(sys.argv[1])
for method in ("scratch", "mfd", "ad", "dro", "mfd+hkd"):
    teacher = str(out / "scratch") if "mfd" in method else None
    train(TrainOptions(method=method, teacher=teacher, steps=1, threads=1, out=str(out / method)), quiet=True)
print(sorted({"torch", "torch._dynamo", "sympy"} & set(sys.modules)))
"""


def trained(kind: type[Optimizer], options: dict[str, Any], *, stopped: bool = False) -> tuple[nn.Module, Optimizer]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    optimizer = kind(network.parameters(), lr=0.01, **options)  # type: ignore[call-arg]
    for step in range(8):
        if stopped and step == 4:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = kind(network.parameters(), lr=0.5, **options)  # type: ignore[call-arg]
            optimizer.load_state_dict(state)
        optimizer.zero_grad(set_to_none=step % 2 == 0)
        network(torch.full((2, 5), float(step))).square().sum().backward()
        optimizer.step()
    return network, optimizer


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"weight_decay": 0.1}),
        ("Adam", {"fused": True}),
        ("AdamW", {"weight_decay": 0.1}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_they_do_what_pytorchs_own_do_to_the_bit(name: str, options: dict[str, Any], stopped: bool) -> None:
    ours, optimizer = trained(getattr(eager, name), options, stopped=stopped)
    theirs, its = trained(getattr(torch.optim, name), options)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)
    state, expected = optimizer.state_dict(), its.state_dict()
    assert state["param_groups"] == expected["param_groups"]
    for one, other in zip(state["state"].values(), expected["state"].values(), strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_hooks_are_called_once_a_step() -> None:
    called: list[int] = []
    weight = nn.Parameter(torch.ones(1))
    torch.optim.Adam([weight])  # PyTorch's own class has its hooks now, too
    optimizer = eager.Adam([weight])
    optimizer.register_step_post_hook(lambda *_: called.append(1))
    optimizer.zero_grad()
    weight.square().sum().backward()
    optimizer.step()
    assert called == [1]


def test_a_training_does_not_load_the_compiler(tmp_path) -> None:
    ran = subprocess.run([sys.executable, "-c", TRAINED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['torch']", ran.stderr
