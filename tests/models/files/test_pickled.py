from __future__ import annotations

import argparse
import collections
import os
from fractions import Fraction
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
    within = {"all": beside.pop("all"), "of": beside.pop("of")}  # nothing looks into these
    torch.save({**kept, **within, **beside}, tmp_path / "a.pt")
    content, left_out = read_pickled(tmp_path / "a.pt")
    assert isinstance(content, dict)
    assert content.keys() == {*kept, *within}
    assert content["args"] == argparse.Namespace(lr=0.1)
    assert {"pathlib.PosixPath", "numpy.dtype"} <= set(left_out)


def test_a_file_of_plain_values_is_read_as_it_is(tmp_path):
    torch.save({"state_dict": network().state_dict(), "epoch": 3}, tmp_path / "a.pt")
    content, left_out = read_pickled(tmp_path / "a.pt")
    assert list(content) == ["state_dict", "epoch"]
    assert left_out == ()


class Options(dict):
    """As Lightning, transformers and OpenMMLab keep them."""


class Losses(list): ...


def test_dictionaries_and_lists_of_other_classes_are_plain_ones(tmp_path):
    model, options = network(), Options(class_names=["a", "b", "c"])
    model.options, model.losses = options, Losses([0.5])
    options.at = 3
    torch.save(
        {"net": model, "hyper_parameters": options, "last": collections.deque([0.5], maxlen=2), "x": Losses([1, 2])},
        tmp_path / "a.pt",
    )
    found = open_weights(tmp_path / "a.pt")
    assert is_of(found.tensors, model)
    assert found.class_names == ("a", "b", "c")
    assert {f"{__name__}.Options", f"{__name__}.Losses", "collections.deque"} <= set(found.left_out)


def test_weights_in_a_dictionary_of_another_class_are_read(tmp_path):
    torch.save(Options(network().state_dict()), tmp_path / "a.pt")
    assert is_of(open_weights(tmp_path / "a.pt").tensors, network())


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_compiled_network_is_the_one_that_was_compiled(tmp_path):
    model = network()
    torch.save({"model": torch.compile(model), "at": Path("a")}, tmp_path / "a.pt")
    assert is_of(open_weights(tmp_path / "a.pt").tensors, model)


def test_the_parts_of_other_objects_are_no_networks(tmp_path):
    model = network()
    torch.save({"classifier": model, "call": model.forward, "at": Path("a")}, tmp_path / "a.pt")
    assert open_weights(tmp_path / "a.pt").key == "classifier"


def test_what_is_inside_itself_is_read(tmp_path):
    content = {"state_dict": network().state_dict(), "at": Path("a"), "list": [1]}
    content["list"].append(content["list"])
    content["meta"] = content
    torch.save(content, tmp_path / "a.pt")
    assert is_of(open_weights(tmp_path / "a.pt", key="state_dict").tensors, network())


def test_what_contains_the_same_many_times_is_read_at_once(tmp_path):
    nested: list | dict = [1]
    for _ in range(40):
        nested = [nested, nested]
    for _ in range(40):
        nested = {1: nested, 2: nested}
    torch.save({"state_dict": network().state_dict(), "at": Path("a"), "x": nested}, tmp_path / "a.pt")
    assert is_of(open_weights(tmp_path / "a.pt").tensors, network())


def test_a_network_inside_itself_is_refused(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2))
    model.add_module("itself", model)
    torch.save(model, tmp_path / "a.pt")
    with pytest.raises(UsageError, match="holds more than tensors"):
        open_weights(tmp_path / "a.pt")


class Picture(torch.Tensor): ...


def test_tensors_of_other_classes_are_refused_by_name(tmp_path):
    torch.save({"model": network().state_dict(), "x": torch.ones(2).as_subclass(Picture)}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match=rf"holds more than tensors \({__name__}\.Picture\)"):
        open_weights(tmp_path / "a.pt")


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


def test_a_damaged_set_of_names_in_a_network_is_left_out(tmp_path):
    network = nn.Linear(2, 1)
    network.__dict__["_non_persistent_buffers_set"] = Fraction(1, 2)
    torch.save(network, tmp_path / "m.pt")
    assert torch.equal(open_weights(tmp_path / "m.pt").tensors["weight"], network.weight)
