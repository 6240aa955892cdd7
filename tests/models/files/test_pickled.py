from __future__ import annotations

import argparse
import collections
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import open_weights
from fairdistill.models.files.pickled import read_pickled


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.scale = nn.Parameter(torch.ones(4))
        self.activation = None
        self.register_buffer("seen", torch.zeros(2))
        self.register_buffer("index", torch.arange(3), persistent=False)

    def forward(self, images):
        return self.norm(images)


def network() -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), Block(), nn.Flatten(), nn.Linear(8, 3))
    made.tied = nn.Linear(4, 4)
    made.tied.weight = nn.Parameter(made[0].weight.detach()[:, 0, :2, :2].reshape(4, 4))
    return made


def is_of(weights, model: nn.Module) -> bool:
    own = model.state_dict()
    return list(weights) == list(own) and all(torch.equal(weights[name], own[name]) for name in own)


def test_a_pickled_network_is_its_state_dict(tmp_path):
    model = network()
    torch.save(model, tmp_path / "a.pt")
    found = open_weights(tmp_path / "a.pt")
    assert is_of(found.tensors, model)
    assert f"{__name__}.Block" in found.left_out
    assert not any(each.requires_grad for each in found.tensors.values())


@pytest.mark.parametrize("key", ["model", "ema"])
def test_so_is_one_among_other_things(tmp_path, key):
    model, beside = network(), collections.defaultdict(list)
    beside["loss"].append(0.5)
    optimizer = torch.optim.AdamW(model.parameters())
    torch.save(
        {"epoch": 3, key: nn.DataParallel(model), "log": beside, "optimizer": optimizer, "to": Path("a")},
        tmp_path / "a.pt",
    )
    found = open_weights(tmp_path / "a.pt")
    assert found.key == key
    assert is_of(found.tensors, model)


def test_objects_beside_weights_are_left_out_and_named(tmp_path):
    weights = network().state_dict()
    beside = {"at": Path("a"), "all": [1, [Path("b")]], "best": np.float64(0.9), "of": argparse.Namespace(at=Path("c"))}
    kept = {"state_dict": weights, "epoch": 3, "losses": [0.5, 0.4], "args": argparse.Namespace(lr=0.1)}
    torch.save({**kept, **beside}, tmp_path / "a.pt")
    content, left_out = read_pickled(tmp_path / "a.pt")
    assert isinstance(content, dict)
    assert content.keys() == kept.keys()
    assert content["args"] == argparse.Namespace(lr=0.1)
    assert {"pathlib.PosixPath", "numpy.dtype"} <= set(left_out)


def test_a_file_of_plain_values_is_read_as_it_is(tmp_path):
    torch.save({"state_dict": network().state_dict(), "epoch": 3}, tmp_path / "a.pt")
    content, left_out = read_pickled(tmp_path / "a.pt")
    assert list(content) == ["state_dict", "epoch"]
    assert left_out == ()


class Trap:
    """Runs code when a file is unpickled as usual."""

    def __init__(self, *runs):
        self.runs = runs

    def __reduce__(self):
        return self.runs


@pytest.mark.parametrize("runs", [
    (exec, ("open('ran', 'w')",)), (open, ("ran", "w")), (getattr, (Path("ran"), "touch")),
    (Block, (), {"_parameters": {}, "_buffers": {}, "_modules": {}}),
])  # fmt: skip
def test_nothing_in_a_file_is_run(tmp_path, monkeypatch, runs):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Block, "__init__", lambda _: open("ran", "w").close())
    monkeypatch.setattr(Block, "__setstate__", lambda *_: open("ran", "w").close())
    weights = nn.Linear(2, 2).state_dict()
    for at, content in enumerate([{"model": weights, "x": Trap(*runs)}, {"model": weights, "x": [{"y": Trap(*runs)}]}]):
        torch.save(content, f"{at}.pt")
        assert open_weights(f"{at}.pt").key == "model"
    torch.save(Trap(*runs), "alone.pt")
    with pytest.raises(UsageError, match=r"alone\.pt holds more than tensors"):
        open_weights("alone.pt")
    assert not Path("ran").exists()


def test_a_file_that_asks_for_the_system_is_refused(tmp_path):
    torch.save({"model": nn.Linear(2, 2).state_dict(), "x": Trap(os.system, ("true",))}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match=r"holds more than tensors \(posix\.system\) and was not opened further"):
        open_weights(tmp_path / "a.pt")
