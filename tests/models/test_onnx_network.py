"""Networks in ONNX files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from fairdistill.errors import TeacherError, UsageError
from fairdistill.models.onnx_network import load_onnx
from fairdistill.predictions.model_source import ModelSource
from fairdistill.predictions.opening import open_model
from tests.conftest import TinyOptions, tiny_split


def written(path: Path, *, shape: list[Any], kind: int = TensorProto.FLOAT, inputs: int = 1) -> Path:
    """Write a graph that returns the mean of each channel of its first input."""
    given = [helper.make_tensor_value_info(f"x{at}", kind, shape) for at in range(inputs)]
    axes = numpy_helper.from_array(np.array([2, 3]), "axes")
    mean = helper.make_node("ReduceMean", ["x0", "axes"], ["y"], keepdims=0)
    output = helper.make_tensor_value_info("y", kind, [None, 3])
    graph = helper.make_graph([mean], "means", given, [output], [axes])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_any_number_of_images_is_run_in_batches_of_the_files_size(tmp_path, batch):
    network = load_onnx(written(tmp_path / "x.onnx", shape=[batch, 3, 8, 8]))
    images = torch.rand(6, 3, 8, 8)
    torch.testing.assert_close(network(images), images.mean((2, 3)))
    assert network.image_size == 8
    assert not network.train().training


@pytest.mark.parametrize(
    "given",
    [
        {"shape": [1, 1, 8, 8]},
        {"shape": [1, 3, 8, 8], "inputs": 2},
        {"shape": [1, 3, 8, 8], "kind": TensorProto.DOUBLE},
    ],
)
def test_other_inputs_are_refused_with_the_way_that_always_works(tmp_path, given):
    with pytest.raises(UsageError, match=r"expected an ONNX file with one input.*audit its predictions as a table"):
        load_onnx(written(tmp_path / "x.onnx", **given))


def test_a_file_that_is_not_onnx_is_one_line(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no graph")
    with pytest.raises(UsageError, match="is not an ONNX file that onnxruntime"):
        load_onnx(tmp_path / "x.onnx")


def test_it_is_a_model_but_not_a_teacher(tmp_path):
    path, test = str(written(tmp_path / "x.onnx", shape=[None, 3, 16, 16])), tiny_split("test", None, TinyOptions())
    assert open_model(ModelSource(path=path, option="model"), test).fixed_size == 16
    with pytest.raises(TeacherError, match="takes no part in training"):
        open_model(ModelSource(path=path), test)
    with pytest.raises(TeacherError, match="drop --model"):
        open_model(ModelSource(path=path, network="resnet18", option="model", network_option="--model"), test)
