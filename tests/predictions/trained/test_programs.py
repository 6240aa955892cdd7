"""Complete programs, TorchScript and ONNX, where a deployed model and a teacher are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from fairdistill.auditing import audit
from fairdistill.errors import LastLayerError, UsageError
from fairdistill.predictions.trained.repaired import write_with_last_layer
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.training import train
from tests.models.programs.test_onnx_file import exported
from tests.models.programs.test_torchscript import Net, saved
from tests.training.faces import OPTIONS, draw_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_table(tmp_path_factory.mktemp("data"), train=16, test=24)


@pytest.fixture(scope="module", params=["m.pt", "m.onnx", "softmax.pt", "softmax.onnx"])
def file(request, tmp_path_factory):
    torch.manual_seed(0)
    network = Net(2, softmax="softmax" in request.param)
    with torch.no_grad():
        network.head.weight.mul_(20)
    path = tmp_path_factory.mktemp("models") / request.param
    if path.suffix == ".onnx":
        exported(network.eval(), path)
    else:
        saved(network, path, "traced")
    torch.save(network.state_dict(), path.with_name("weights.pt"))
    return path


def options(table: Path, **changes: Any) -> dict[str, Any]:
    return {**OPTIONS, "image_cache": str(table.parent / "cache"), **changes}


def make(_classes: int) -> Net:
    return Net(2)


def test_an_onnx_file_names_its_classes_in_its_metadata(table, tmp_path):
    """As Ultralytics and others write them."""
    torch.manual_seed(0)
    path = exported(Net(2).eval(), tmp_path / "m.onnx")
    plain = audit(str(path), data=str(table), **options(table, draws=200))
    first, second = plain.class_names
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"names": str({0: second, 1: first}), "task": "classify"})
    onnx.save(model, str(path))
    turned = audit(str(path), data=str(table), **options(table, draws=200))
    assert turned.model.output_classes == (second, first)
    assert turned.metrics.accuracy.value == pytest.approx(1 - plain.metrics.accuracy.value)


def test_it_is_audited_as_the_network_is(file, table):
    given = options(table, draws=200, device="cpu", precision="float32")
    found = audit(str(file), data=str(table), **given)
    plain = audit(str(file.with_name("weights.pt")), data=str(table), model=f"{__name__}:make", **given)
    assert found.metrics.accuracy == plain.metrics.accuracy
    assert found.metrics.calibration_error == pytest.approx(plain.metrics.calibration_error, abs=1e-5)
    assert found.model.outputs == ("probabilities" if "softmax" in file.name else "logits")
    assert found.model.network is None
    with pytest.raises(UsageError, match="is a complete program; drop --model"):
        audit(str(file), data=str(table), model="cifar_net", **given)


def test_it_teaches_students_of_another_network(file, table, tmp_path):
    run = train(
        data=str(table), data_options=options(table), model="digit_net", teacher=str(file), method="mfd", steps=2,
        batch_size=8, out=str(tmp_path / "run"), device="cpu", threads=1, quiet=True,
    )  # fmt: skip
    assert run.finished
    with pytest.raises(UsageError, match="is an exported program, which has none; drop --init teacher"):
        train(
            data=str(table), data_options=options(table), model="digit_net", teacher=str(file), method="mfd", steps=2,
            init="teacher", out=str(tmp_path / "other"), device="cpu", threads=1, quiet=True,
        )  # fmt: skip


def test_its_last_layer_cannot_be_changed(file, tmp_path):
    with pytest.raises(LastLayerError, match="is a complete program: its last layer cannot be changed"):
        write_with_last_layer(ModelSource(path=str(file)), None, None, None, tmp_path / file.name)  # type: ignore[arg-type]
