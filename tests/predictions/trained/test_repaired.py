"""A model's own file with another last layer: it loads as the old one did, and predicts what it should."""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fairdistill.data import Pipeline
from fairdistill.errors import LastLayerError, UsageError
from fairdistill.models import find_last_layer
from fairdistill.models.files.safe_file import DIGEST
from fairdistill.predictions.trained.model import ModelSource, load_model, predictions_of
from fairdistill.predictions.trained.repaired import repair_notes, with_last_layer, write_with_last_layer
from fairdistill.system.runtime import choose_runtime
from tests.conftest import TINY_CLASSES, TinyOptions, tiny_split
from tests.predictions import networks

RUNTIME = choose_runtime("cpu", "float32")
DATA = tiny_split("test", None, TinyOptions())
MODULE = "tests.predictions.networks"


def weights():
    return networks.drawn(networks.plain(3)).state_dict()


def prefixed(prefix, state):
    return {prefix + name: value for name, value in state.items()}


def half(state):
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


def source_of(path, **changes):
    return ModelSource(path=str(path), option="model", **{"network": f"{MODULE}:plain", **changes})


def repaired(source, target, data=DATA):
    """Write a model with a drawn last layer; check that it predicts what it should and return its notes."""
    model = load_model(source, data, RUNTIME)
    images = Pipeline(data, device=RUNTIME.device, seed=0, recipe=model.recipe).batch(torch.arange(6)).images
    layer = find_last_layer(model.network, images)
    draw = torch.Generator().manual_seed(3)
    weight = layer.weight.roll(1, 0) + 0.3 * torch.randn(layer.weight.shape, generator=draw)
    bias = layer.bias.roll(1, 0) + 0.3 * torch.randn(layer.bias.shape, generator=draw)
    before = predictions_of(model, data, where="m", runtime=RUNTIME).probabilities
    in_memory = with_last_layer(model, layer, weight, bias)
    assert np.array_equal(predictions_of(model, data, where="m", runtime=RUNTIME).probabilities, before)
    assert in_memory.digest != model.digest
    assert write_with_last_layer(source, layer, weight, bias, target) == target
    written = load_model(ModelSource(**{**vars(source), "path": str(target)}), data, RUNTIME)
    found, expected = (predictions_of(each, data, where="m", runtime=RUNTIME) for each in (written, in_memory))
    assert written.reading == model.reading
    assert np.abs(expected.probabilities - before).max() > 0.01
    return found.probabilities, expected.probabilities, repair_notes(source, layer)


KINDS = {
    "plain": (lambda w: w, {}),
    "key and prefix": (lambda w: {"state_dict": prefixed("module.", w), "epoch": 7, "lr": [0.1, 0.2]}, {}),
    "key in a key": (lambda w: {"model": {"state_dict": w}, "optimizer": {"state": {0: {"m": w["head.bias"]}}}}, {}),
    "compiled": (lambda w: prefixed("module._orig_mod.", w), {}),
    "parts": (lambda w: {"state_dict": {**prefixed("student.", w), "loss.scale": torch.ones(1)}}, {}),
    "part by name": (
        lambda w: {**prefixed("student.", w), **prefixed("teacher.", half(w))},
        {"weights_key": "student"},
    ),
    "key by name": (lambda w: {"raw": w, "ema": half(w)}, {"weights_key": "raw"}),
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("suffix", [".pt", ".ckpt"])
def test_files_of_every_kind_keep_everything_else(tmp_path, kind, suffix):
    make, options = KINDS[kind]
    old, new = tmp_path / f"m{suffix}", tmp_path / "new" / f"m{suffix}"
    content = make(weights())
    torch.save(content, old)
    found, expected, _ = repaired(source_of(old, **options), new)
    np.testing.assert_array_equal(found, expected)
    written = torch.load(new, weights_only=True)
    changed = differences(content, written)
    assert len(changed) == 2
    assert all(name.endswith(("head.weight", "head.bias")) for name in changed)
    assert [path.name for path in new.parent.iterdir()] == [new.name]


def differences(old, new, at=""):
    """Return where two contents differ; their keys, order, types and shapes are equal."""
    assert type(old) is type(new)
    if isinstance(old, dict):
        assert list(old) == list(new)
        return [found for key in old for found in differences(old[key], new[key], f"{at}/{key}")]
    if isinstance(old, torch.Tensor):
        assert (old.dtype, old.shape) == (new.dtype, new.shape)
        return [] if torch.equal(old, new) else [at]
    assert old == new
    return []


def test_a_part_of_a_safetensors_file_changes_alone(tmp_path):
    content = {**prefixed("student.", weights()), **prefixed("teacher.", half(weights()))}
    save_file(content, tmp_path / "m.safetensors")
    found, expected, _ = repaired(
        source_of(tmp_path / "m.safetensors", weights_key="student"), tmp_path / "n.safetensors"
    )
    np.testing.assert_array_equal(found, expected)
    assert differences(load_file(tmp_path / "m.safetensors"), load_file(tmp_path / "n.safetensors")) == [
        "/student.head.bias", "/student.head.weight",
    ]  # fmt: skip


def test_the_arguments_beside_the_weights_stay(tmp_path):
    arguments = argparse.Namespace(lr=0.1, model="plain")
    torch.save({"state_dict": weights(), "args": arguments}, tmp_path / "m.pth.tar")
    found, expected, _ = repaired(source_of(tmp_path / "m.pth.tar"), tmp_path / "n.tar")
    np.testing.assert_array_equal(found, expected)
    with torch.serialization.safe_globals([argparse.Namespace]):
        assert torch.load(tmp_path / "n.tar")["args"] == arguments


def test_averaged_weights_stay_and_a_note_says_so(tmp_path):
    torch.save({"model": weights(), "ema": weights()}, tmp_path / "m.pt")
    *_, notes = repaired(source_of(tmp_path / "m.pt"), tmp_path / "n.pt")
    assert notes == ("The new file changes only the weights under 'model'; those under 'ema' are as they were",)
    written = torch.load(tmp_path / "n.pt", weights_only=True)
    assert torch.equal(written["ema"]["head.weight"], weights()["head.weight"])
    assert not torch.equal(written["model"]["head.weight"], weights()["head.weight"])


def test_one_dictionary_under_two_keys_changes_under_one(tmp_path):
    same = OrderedDict(weights())
    torch.save({"model": same, "best": same}, tmp_path / "m.pt")
    repaired(source_of(tmp_path / "m.pt"), tmp_path / "n.pt")
    written = torch.load(tmp_path / "n.pt", weights_only=True)
    assert torch.equal(written["best"]["head.weight"], same["head.weight"])


def test_half_precision_stays_and_rounds_the_new_layer_only(tmp_path):
    torch.save(half(weights()), tmp_path / "m.pt")
    found, expected, _ = repaired(source_of(tmp_path / "m.pt"), tmp_path / "n.pt")
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert {value.dtype for value in torch.load(tmp_path / "n.pt").values()} == {torch.half, torch.int64}


@pytest.mark.parametrize("name", ["softmax", "plain"])
def test_safetensors_keep_their_metadata_and_class_order(tmp_path, name):
    metadata = {"network": f"{MODULE}:{name}", "class_names": json.dumps(TINY_CLASSES[::-1]), "mine": "x"}
    save_file(prefixed("model.", weights()), tmp_path / "m.safetensors", metadata=metadata)
    source = source_of(tmp_path / "m.safetensors", network=None)
    found, expected, notes = repaired(source, tmp_path / "n.safetensors")
    np.testing.assert_array_equal(found, expected)
    assert notes == ()
    with safe_open(tmp_path / "n.safetensors", framework="pt") as file:
        assert {name: text for name, text in file.metadata().items() if name != DIGEST} == metadata
        assert sorted(file.keys()) == sorted(prefixed("model.", weights()))


@pytest.mark.parametrize("name", ["one_logit", "sigmoid"])
def test_one_logit(tmp_path, name):
    torch.save(networks.drawn(networks.one_logit()).state_dict(), tmp_path / "m.pt")
    data = tiny_split("test", None, TinyOptions())
    keep = (data.labels < 2).nonzero().flatten()
    two = type(data)(**{**vars(data.subset(keep)), "class_names": TINY_CLASSES[:2]})
    source = source_of(
        tmp_path / "m.pt", network=f"{MODULE}:{name}", outputs="logits" if name == "one_logit" else "auto"
    )
    found, expected, _ = repaired(source, tmp_path / "n.pt", two)
    np.testing.assert_array_equal(found, expected)


def test_what_is_written_beside_comes_along(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    config = {"id2label": {str(i): name for i, name in enumerate(TINY_CLASSES[::-1])}, "image_size": 16}
    (old / "config.json").write_text(json.dumps(config))
    save_file(weights(), old / "model.safetensors")
    found, expected, _ = repaired(source_of(old / "model.safetensors"), new / "model.safetensors")
    np.testing.assert_array_equal(found, expected)
    assert (new / "config.json").read_bytes() == (old / "config.json").read_bytes()
    repaired(source_of(old / "model.safetensors"), new / "again.safetensors")
    (new / "config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"config\.json exists and differs"):
        repaired(source_of(old / "model.safetensors"), new / "third.safetensors")
    assert not (new / "third.safetensors").exists()


def test_a_run_folder(tmp_path, make_teacher):
    found, expected, _ = repaired(ModelSource(path=make_teacher(model="digit_net")), tmp_path / "new.safetensors")
    np.testing.assert_array_equal(found, expected)


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path):
    path = tmp_path / "m.pt"
    torch.save(weights(), path)
    model = load_model(source_of(path), DATA, RUNTIME)
    layer = find_last_layer(model.network, torch.randn(4, 3, 16, 16))

    def write(target, model=path):
        write_with_last_layer(source_of(model), layer, layer.weight, layer.bias, target)

    with pytest.raises(UsageError, match=r"n\.safetensors must end in \.pt"):
        write(tmp_path / "n.safetensors")
    with pytest.raises(UsageError, match="is the model's own file"):
        write(path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write"):
        write(tmp_path / "file" / "n.pt")
    (tmp_path / "m.pt2").write_text("x")
    with pytest.raises(LastLayerError, match="complete program"):
        write(tmp_path / "n.pt2", tmp_path / "m.pt2")
    torch.save({**weights(), "head.weight": torch.zeros(3, 128)}, path)
    with pytest.raises(UsageError, match="no longer holds the model"):
        write(tmp_path / "n.pt")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "m.pt", "m.pt2"]
