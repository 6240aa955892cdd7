"""Folders of transformers: audited, taught with, repaired and trained, and always readable by transformers again."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fairdistill import data
from fairdistill.auditing import audit
from fairdistill.cli.main import main
from fairdistill.errors import UsageError
from fairdistill.models import build, find_last_layer, find_taps, weights_digest
from fairdistill.models.hugging_face import own_names
from fairdistill.predictions.trained.model import ModelSource, load_model, predictions_of
from fairdistill.predictions.trained.repaired import write_with_last_layer
from fairdistill.runs.load import load
from fairdistill.system.runtime import choose_runtime
from fairdistill.system.vision import import_transformers
from fairdistill.training import train
from tests.training.faces import OPTIONS, draw_table

transformers = import_transformers()
RUNTIME = choose_runtime("cpu", "float32")
LABELS = {0: "square", 1: "disc"}  # not the data's order
CONFIGS = {
    "vit": transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=4,
        id2label=LABELS,
    ),
    "resnet": transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=LABELS
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_table(tmp_path_factory.mktemp("data"), train=16, test=24)


@pytest.fixture(scope="module", params=["vit", "resnet"])
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    model = transformers.AutoModelForImageClassification.from_config(CONFIGS[request.param]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(path)
    processor = transformers.ViTImageProcessor(size={"height": 16, "width": 16}, image_std=[0.2, 0.3, 0.4])
    processor.save_pretrained(path)
    return path


def dataset_of(table):
    return data.load(str(table), "test", **OPTIONS, image_cache=str(table.parent / "cache"))


def probabilities(folder, dataset):
    """Return what transformers itself says, in the order of the data's classes."""
    model = transformers.AutoModelForImageClassification.from_pretrained(folder, local_files_only=True).eval()
    recipe = dataset.recipe.resized(16)
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    images = images_of(dataset, recipe.size)
    mean, std = (torch.tensor(processor[key]).view(1, 3, 1, 1) for key in ("image_mean", "image_std"))
    with torch.no_grad():
        found = model((images - mean) / std).logits.softmax(1).numpy()
    names = [model.config.id2label[index] for index in range(2)]
    return found[:, [names.index(name) for name in dataset.class_names]]


def images_of(dataset, size):
    from fairdistill.data import Pipeline

    plain = data.Recipe(size=size, stored=(size, size), mean=(0.0,) * 3, std=(1.0,) * 3)
    return Pipeline(dataset, device=torch.device("cpu"), seed=0, recipe=plain).batch(torch.arange(len(dataset))).images


@pytest.mark.parametrize("form", ["hf:", "", "bin"])
def test_a_folder_is_audited_as_transformers_reads_it(folder, table, tmp_path, form):
    path = folder
    if form == "bin":
        path = tmp_path / "bin"
        shutil.copytree(folder, path)
        torch.save(load_file(path / "model.safetensors"), path / "pytorch_model.bin")
        (path / "model.safetensors").unlink()
    dataset = dataset_of(table)
    source = ModelSource(path=f"{'' if form == 'bin' else form}{path}", option="model", network_option="--model")
    model = load_model(source, dataset, RUNTIME)
    found = predictions_of(model, dataset, where="m", runtime=RUNTIME)
    np.testing.assert_allclose(found.probabilities, probabilities(folder, dataset), atol=1e-5)
    assert model.name == f"hf:{path}"
    assert model.reading.output_classes == ("square", "disc")
    assert model.reading.std == (0.2, 0.3, 0.4)
    assert {"embedding", "feature"} <= set(find_taps(model.network, torch.zeros(1, 3, 16, 16)))


def test_a_changed_last_layer_gives_a_folder_that_transformers_reads(folder, table, tmp_path):
    dataset = dataset_of(table)
    source = ModelSource(path=str(folder), option="model")
    model = load_model(source, dataset, RUNTIME)
    layer = find_last_layer(model.network, torch.randn(4, 3, 16, 16))
    weight, bias = layer.weight.flip(0), layer.bias.flip(0)
    write_with_last_layer(source, layer, weight, bias, tmp_path / "new" / "model.safetensors")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(p.name for p in folder.iterdir())
    expected = probabilities(folder, dataset)
    np.testing.assert_allclose(probabilities(tmp_path / "new", dataset), expected[:, ::-1], atol=1e-5)


def test_a_student_starts_from_a_folder_and_its_run_is_one(folder, table, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    run = train(
        data=str(table), data_options={**OPTIONS, "image_cache": str(table.parent / "cache")},
        model=f"hf:{folder.name}", teacher=f"hf:{folder.name}",
        init="teacher", method="mfd", steps=2, batch_size=8, out=str(tmp_path / "run"), device="cpu", threads=1,
        quiet=True,
    )  # fmt: skip
    again = transformers.AutoModelForImageClassification.from_pretrained(run.path, local_files_only=True).eval()
    images = torch.randn(3, 3, 16, 16)
    monkeypatch.chdir(tmp_path)
    network = load(run.path)
    assert again.config.id2label == {0: "disc", 1: "square"}
    with torch.no_grad():
        torch.testing.assert_close(network(images).logits, again(images).logits)
    assert json.loads((run.path / "preprocessor_config.json").read_text())["size"] == {"height": 16, "width": 16}


def test_published_weights_are_those_of_the_folder_with_a_new_head(folder):
    network = build(f"hf:{folder}", 3, image_size=16, pretrained=True)
    given = own_names(network, load_file(folder / "model.safetensors"))
    state = network.state_dict()
    fitting = [name for name, value in given.items() if state[name].shape == value.shape]
    assert len(fitting) == len(state) - 2
    assert weights_digest({name: state[name] for name in fitting}) == weights_digest({n: given[n] for n in fitting})


def test_missing_and_unknown_weights_are_named(folder, table, tmp_path):
    shutil.copytree(folder, tmp_path / "bad")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "classifier" not in name and name.endswith("weight"))
    weights["stranger"] = weights.pop(name)
    from safetensors.torch import save_file

    save_file(weights, tmp_path / "bad" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match=r"missing from it: .*; not in the network: stranger"):
        load_model(ModelSource(path=str(tmp_path / "bad"), option="model"), dataset_of(table), RUNTIME)


CONFIG = {"architectures": ["ViTForImageClassification"], "model_type": "vit"}
BAD = [
    ({}, {}, "has no weights (model.safetensors or pytorch_model.bin)"),
    ({"config": CONFIG, "model.safetensors.index": {}}, {}, "are in several files; write them in one, with"),
    ({"config": {"model_type": "bert"}}, {"model.safetensors": b""}, "describes no image classifier that transformers"),
    ({"config": {"model_type": "new", "auto_map": {"AutoConfig": "a.B"}}}, {"a.py": b"1/0"}, "describes no image"),
]


@pytest.mark.parametrize(("configs", "files", "text"), BAD)
def test_a_folder_that_cannot_be_read_is_one_line(configs, files, text, table, tmp_path, capsys):
    folder = tmp_path / "m"
    folder.mkdir()
    for name, content in configs.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    if files:
        torch.save({"classifier.weight": torch.zeros(2, 4)}, folder / "pytorch_model.bin")
    (folder / "a.py").write_bytes(files.get("a.py", b""))
    flags = ["--label", "shape", "--group", "ground", "--size", "16", "--no-cache", "--out", str(tmp_path / "a.json")]
    assert main(["audit", f"hf:{folder}", "--data", str(table), *flags]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert len(error.strip().splitlines()) == 1


def test_without_transformers_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"this needs transformers; install it with: pip install 'fairdistill\[hf\]'"):
        build(f"hf:{folder}", 2)


def test_blue_green_red_and_other_interpolation_are_honored(folder, table, tmp_path):
    shutil.copytree(folder, tmp_path / "m")
    place = tmp_path / "m" / "preprocessor_config.json"
    content = json.loads(place.read_text())
    options = {
        **OPTIONS,
        "image_cache": str(table.parent / "cache"),
        "draws": 200,
        "device": "cpu",
        "precision": "float32",
    }
    plain = audit(str(tmp_path / "m"), data=str(table), **options)
    place.write_text(json.dumps({**content, "resample": 3, "do_flip_channel_order": True}))
    found = audit(str(tmp_path / "m"), data=str(table), **options)
    assert found.model.rule == "whole,bicubic,bgr"
    assert "16 x 16 pixels, bicubic interpolation, channels blue, green, red; mean" in found.text()
    back = audit(str(tmp_path / "m"), data=str(table), model_input="bilinear,rgb", **options)
    assert back.metrics == plain.metrics
    assert back.model.rule == plain.model.rule == "whole,bilinear"
