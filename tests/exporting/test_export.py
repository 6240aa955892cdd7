"""``export``: files in every format, run as a stranger would, and compared with the model that they were made from."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fairdistill
from fairdistill import data
from fairdistill.auditing import audit
from fairdistill.cli.main import main
from fairdistill.errors import FairdistillError, RunFolderError, UsageError
from fairdistill.exporting import ExportResult, export, making
from fairdistill.models import open_weights
from fairdistill.predicting import predict
from tests.conftest import TINY
from tests.predictions import networks
from tests.training.faces import OPTIONS, draw_table

MODULE = "tests.predictions.networks"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_table(tmp_path_factory.mktemp("data"), train=16, test=40)


def saved(folder: Path, name: str = "plain", classes: int = 2) -> str:
    made = getattr(networks, name)
    network = made() if name in ("sigmoid", "one_logit", "three") else made(classes)
    torch.save(networks.drawn(network).state_dict(), folder / f"{name}.pt")
    return str(folder / f"{name}.pt")


def exported(path: str, out: Path, name: str | None = "plain", **options: Any) -> ExportResult:
    given = {"model": name and f"{MODULE}:{name}", "device": "cpu", "precision": "float32", "threads": 1, **options}
    return export(path, out=str(out), **given)


def on_table(table: Path, folder: Path) -> dict[str, Any]:
    return {"data": str(table), **OPTIONS, "image_cache": str(folder / "images")}


@pytest.fixture(scope="module")
def made(tiny_teacher: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportResult]:
    """A run in every format."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "tiny", TINY)
        folder = tmp_path_factory.mktemp("exported")
        return {
            name: export(tiny_teacher, out=str(folder / name), **options)
            for name, options in {
                "onnx": {}, "int8": {"int8": True}, "pixels": {"with_preprocessing": True}, "pt2": {"format": "pt2"},
                "safetensors": {"format": "safetensors"},
            }.items()
        }  # fmt: skip


@pytest.mark.parametrize("name", ["onnx", "pixels", "pt2", "safetensors"])
def test_a_run_is_exported_and_the_file_says_what_the_run_says(made, tiny_teacher, name):
    result, run = made[name], json.loads((Path(tiny_teacher) / "result.json").read_text())
    found = result.reaudit
    assert found is not None
    assert (found.agreement, found.verdict, found.reasons, result.exit_code) == (1.0, "within", (), 0)
    assert (found.rows, found.computed) == (30, "float32")
    assert found.largest_difference < 1e-5
    assert found.model.accuracy == found.file.accuracy == pytest.approx(run["accuracy"])
    assert found.file.deo_a == pytest.approx(run["deo_a"])
    assert Path(result.file).stat().st_size == result.bytes
    assert "Passed: " in result.text()
    written = json.loads((Path(result.file).parent / "export.json").read_text())
    assert written["reaudit"]["agreement"] == 1.0


def test_an_onnx_file_runs_alone_with_any_batch_size_as_its_description_says(made, tiny_teacher):
    import onnxruntime

    result = made["onnx"]
    session = onnxruntime.InferenceSession(result.file, providers=["CPUExecutionProvider"])
    said = json.loads(Path(result.preprocessing).read_text())
    network = fairdistill.load(tiny_teacher)
    draw = np.random.default_rng(0)
    for count in (1, 5):
        pixels = draw.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
        images = (pixels * said["scale"] - said["mean"]) / said["std"]
        (logits,) = session.run(["logits"], {"images": images.transpose(0, 3, 1, 2).astype(np.float32)})
        wanted = network(torch.from_numpy(images).permute(0, 3, 1, 2).float()).detach().numpy()
        np.testing.assert_allclose(logits, wanted, atol=1e-5)
    assert said["classes"] == ["a", "b", "c"]
    assert (said["layout"], said["type"], said["outputs"]) == ("NCHW", "float32", "logits")
    assert said["resize"]["antialias"] is True
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["class_names"]) == ["a", "b", "c"]
    assert metadata["image_size"] == "16"


def test_preprocessing_in_the_graph_takes_pixels(made, tiny_teacher):
    import onnxruntime

    result = made["pixels"]
    assert result.input == "images: uint8 [N, 16, 16, 3]"
    session = onnxruntime.InferenceSession(result.file, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    (logits,) = session.run(None, {"images": pixels})
    network = fairdistill.load(tiny_teacher)
    wanted = network(network.transform.normalized(torch.from_numpy(pixels).permute(0, 3, 1, 2)))
    np.testing.assert_allclose(logits, wanted.detach().numpy(), atol=1e-5)


def test_an_8_bit_file_is_smaller_and_audited(made):
    small, found = made["int8"], made["int8"].reaudit
    assert small.bytes < made["onnx"].bytes / 2
    assert small.file.endswith("model.int8.onnx")
    assert found is not None
    assert found.largest_difference > 1e-4
    assert "8-bit integers" in small.text()


@pytest.mark.parametrize("name", ["onnx", "pixels", "pt2", "safetensors"])
def test_every_file_can_be_predicted_with_and_knows_its_classes(made, tiny_teacher, table, name):
    given = {"images": str(table.parent / "test"), "precision": "float32", "device": "cpu"}
    of_file, of_run = predict(made[name].file, **given), predict(tiny_teacher, **given)
    assert of_file.class_names == ("a", "b", "c")
    np.testing.assert_allclose(of_file.probabilities, of_run.probabilities, atol=1e-5)


def test_outputs_that_are_probabilities_or_in_another_order_keep_the_files_order(table, tmp_path):
    options = on_table(table, tmp_path)
    path = saved(tmp_path, "softmax")
    result = exported(path, tmp_path / "out", "softmax", format="pt2", classes="square,disc", **options)
    assert result.reaudit is not None
    assert result.reaudit.agreement == 1.0
    assert result.classes == ("square", "disc")
    program = torch.export.load(result.file).module()
    images = torch.rand(3, 3, 16, 16)
    network = networks.drawn(networks.softmax(2)).eval()
    torch.testing.assert_close(program(images).softmax(1), network(images))
    weights = exported(saved(tmp_path, "sigmoid"), tmp_path / "out", "sigmoid", format="safetensors", **options)
    assert weights.reaudit is not None
    assert weights.reaudit.agreement == 1.0
    assert json.loads(open_weights(weights.file).metadata["class_names"]) == ["disc", "square"]


def test_a_model_whose_file_names_its_classes_in_another_order_is_matched(table, tmp_path):
    path = tmp_path / "named.pt"
    torch.save({"state_dict": networks.drawn(networks.plain(2)).state_dict(), "classes": ["square", "disc"]}, path)
    result = exported(str(path), tmp_path / "out", format="pt2", **on_table(table, tmp_path))
    assert result.classes == ("square", "disc")
    assert result.reaudit is not None
    assert result.reaudit.agreement == 1.0
    said = audit(result.file, draws=200, precision="float32", **on_table(table, tmp_path))
    assert said.accuracy.value == pytest.approx(result.reaudit.model.accuracy)


def test_without_data_nothing_is_audited_and_the_text_says_so(tmp_path):
    given = {"format": "safetensors", "model_size": 16, "model_mean": "0.5", "model_std": "0.2"}
    path = saved(tmp_path)
    with pytest.raises(UsageError, match="does not name its classes"):
        exported(path, tmp_path / "out", **given)
    with pytest.raises(UsageError, match="does not say how its images are prepared"):
        exported(path, tmp_path / "out", format="safetensors", classes="a,b")
    result = exported(path, tmp_path / "out", classes="a,b", **given)
    assert result.reaudit is None
    assert "was not audited: name a test set with --data" in result.text()
    assert fairdistill.load(result.file, model=f"{MODULE}:plain").class_names == ("a", "b")


def test_a_file_that_is_worse_fails_the_command_and_says_why(tmp_path, tiny, tiny_teacher, monkeypatch, capsys):
    own = making.weights_bytes

    def spoilt(model: Any, *args: Any, **others: Any) -> bytes:
        with torch.no_grad():
            next(reversed(list(model.network.parameters()))).copy_(torch.tensor([50.0, 0.0, 0.0]))
        return own(model, *args, **others)

    monkeypatch.setattr(making, "weights_bytes", spoilt)
    arguments = ["export", tiny_teacher, "--format", "safetensors", "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    shown = capsys.readouterr().out
    assert "FAILED (tolerance 1.0 points): accuracy fell by" in shown
    assert json.loads((tmp_path / "out" / "export.json").read_text())["reaudit"]["verdict"] == "beyond"
    assert main([*arguments, "--no-reaudit"]) == 0


class Refusing(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(3, classes)

    def forward(self, images: Tensor) -> Tensor:
        means = images.mean((2, 3))
        return self.head(means if float(means.sum()) > 0 else -means)


def refusing(num_classes: int) -> nn.Module:
    return Refusing(num_classes)


def test_a_network_that_cannot_be_exported_is_one_line(tmp_path):
    torch.save(Refusing(2).state_dict(), tmp_path / "x.pt")
    given = {"model_size": 16, "model_mean": "0.5", "model_std": "0.2", "classes": "a,b"}
    with pytest.raises(UsageError, match=r"cannot export the network of .*x.pt to an exported program: .*safetensors"):
        export(
            tmp_path / "x.pt", model="tests.exporting.test_export:refusing", format="pt2", out=str(tmp_path), **given
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"int8": True, "format": "pt2"}, "--int8 applies only to --format onnx"),
        ({"with_preprocessing": True, "format": "safetensors"}, "--with-preprocessing applies only to --format onnx"),
        ({"tolerance": 2.0}, "expected tolerance to lie in"),
        ({"format": "tflite"}, "expected format to be one of onnx, pt2, safetensors"),
        ({"int8": True}, "--int8 needs images to measure the ranges"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path, options, text):
    with pytest.raises(UsageError, match=text):
        exported(saved(tmp_path), tmp_path / "out", classes="a,b", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_one_line_with_the_install_command(tmp_path, monkeypatch, made, table, package, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["export", saved(tmp_path), "--classes", "a,b"]) == 2
    assert f"needs {package}; install it with: pip install 'fairdistill[export]'" in capsys.readouterr().err
    if package == "onnxruntime":
        images = {"images": str(table.parent / "test")}
        with pytest.raises(UsageError, match=r"need onnxruntime; install it with: pip install"):
            predict(made["onnx"].file, **images)


def test_an_export_does_not_replace_its_model(tmp_path):
    path = Path(saved(tmp_path)).rename(tmp_path / "model.pt2")
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"model\.pt2 is read by this command, and would be overwritten"):
        exported(str(path), tmp_path, format="pt2")
    assert path.read_bytes() == before


@pytest.mark.parametrize("earlier", [True, False])
def test_a_file_that_cannot_be_used_leaves_an_earlier_export_and_nothing_of_its_own(earlier, table, tmp_path):
    out, path = tmp_path / "out", saved(tmp_path)
    if earlier:
        exported(path, out, format="pt2", **on_table(table, tmp_path))
    before = {file.name: file.read_bytes() for file in out.glob("*")}
    weights = torch.load(path)
    torch.save({name: values * torch.nan for name, values in weights.items()}, path)
    with pytest.raises(FairdistillError, match="finite"):
        exported(path, out, format="pt2", **on_table(table, tmp_path))
    assert {file.name: file.read_bytes() for file in out.glob("*")} == before
    assert out.exists() == earlier
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_must_not_be_written_in_is_named_before_anything_is_computed(tmp_path, monkeypatch):
    path = saved(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_given: False)
    monkeypatch.setattr(making, "own_description", None)
    with pytest.raises(RunFolderError, match=f"cannot write in {tmp_path}; choose another folder with --out"):
        exported(path, tmp_path / "out", format="pt2")


def test_a_class_named_twice_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="--classes a,a names a class twice"):
        exported(saved(tmp_path), tmp_path / "out", classes="a,a")
