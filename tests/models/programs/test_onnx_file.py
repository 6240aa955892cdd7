from __future__ import annotations

import copy
import sys
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import Tapped, Teacher, check_program, find_taps
from fairdistill.models.programs.onnx_file import load_onnx
from tests.models.programs.test_torchscript import Net

KEEP = ("embedding", "map", "feature", "logits")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = Net().eval()
    with torch.no_grad():
        network.norm.running_mean.uniform_(-1, 1)
    return network


def exported(network: nn.Module, path, *, dynamic: bool = True, size: int = 16):
    """Write a file with PyTorch's exporter."""
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter
        program = torch.onnx.export(
            network, (torch.rand(2, 3, size, size),), dynamo=True, dynamic_shapes=shapes, verbose=False
        )
        program.save(str(path))
    return path


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    return exported(network, tmp_path_factory.mktemp("onnx") / "m.onnx")


def test_it_gives_the_outputs_and_features_of_the_network_for_any_number_of_images(network, file):
    program, notes = load_onnx(file)
    assert (program.batch_size, program.image_size, notes) == (None, 16, ())
    points = find_taps(program, torch.rand(1, 3, 16, 16))
    teacher = Teacher(copy.deepcopy(program), points, keep=KEEP).to(torch.device("cpu"))
    for rows in (1, 2, 5):
        images = torch.rand(rows, 3, 16, 16).to(memory_format=torch.channels_last)
        with torch.no_grad():
            taps, activated = teacher(images), network.norm(network.conv(images)).relu()
            torch.testing.assert_close(taps["logits"], network(images), atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(taps["embedding"], activated.mean((2, 3)), atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(taps["map"], activated, atol=1e-5, rtol=1e-5)
        assert taps["feature"] is taps["embedding"]


def test_a_value_of_the_graph_is_a_feature_by_its_name(file):
    program = load_onnx(file)[0]
    name = next(node.output[0] for node in onnx.load(str(file)).graph.node if node.op_type == "Relu")
    points = find_taps(program, torch.rand(1, 3, 16, 16), named={"feature": name})
    taps = Tapped(program, points)(torch.rand(5, 3, 16, 16))
    assert taps["feature"].shape == (5, 8, 4, 4)
    torch.testing.assert_close(taps["feature"], taps["map"])
    with pytest.raises(UsageError, match="has no module 'nothing'"):
        find_taps(program, torch.rand(1, 3, 16, 16), named={"feature": "nothing"})


def made(path, *, shape, kind=TensorProto.FLOAT, inputs=1, outputs=1, axes=(2, 3)):
    """Write a file whose only outputs are means over some axes."""
    given = [helper.make_tensor_value_info(f"x{place}", kind, shape) for place in range(inputs)]
    means = [helper.make_tensor_value_info(f"y{place}", kind, ["n", 3]) for place in range(outputs)]
    where = numpy_helper.from_array(np.array(axes), "axes")
    nodes = [helper.make_node("ReduceMean", ["x0", "axes"], [f"y{place}"], keepdims=0) for place in range(outputs)]
    graph = helper.make_graph(nodes, "g", given, means, [where])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, str(path))
    return path


def test_the_batch_size_and_the_layout_are_those_of_the_graph(tmp_path):
    images = torch.rand(5, 3, 8, 8)
    fixed = load_onnx(made(tmp_path / "a.onnx", shape=[2, 3, 8, 8]))[0]
    assert (fixed.batch_size, fixed.image_size) == (2, 8)
    torch.testing.assert_close(fixed(images), images.mean((2, 3)))
    last, notes = load_onnx(made(tmp_path / "b.onnx", shape=["n", "h", "w", 3], axes=(1, 2)))
    assert notes == ("The images were given to b.onnx as [N, H, W, 3], which its input 'x0' asks for",)
    torch.testing.assert_close(last(images), images.mean((2, 3)))
    half = load_onnx(made(tmp_path / "c.onnx", shape=["n", 3, 8, 8], kind=TensorProto.FLOAT16))[0]
    assert half(images).dtype == torch.float32
    torch.testing.assert_close(half(images), images.mean((2, 3)), atol=1e-2, rtol=1e-2)


def test_of_several_outputs_the_first_is_read_and_a_note_says_so(tmp_path):
    _, notes = load_onnx(made(tmp_path / "a.onnx", shape=["n", 3, 8, 8], outputs=2))
    assert notes == ("The output 'y0' of a.onnx was read; it also has 'y1'",)


class Ending(nn.Module):
    """A network whose output, or all of whose outputs, a function makes of its logits ``[N, 2]``."""

    def __init__(self, function) -> None:
        super().__init__()
        self.net, self.function = Net(2), function

    def forward(self, images: torch.Tensor) -> object:
        return self.function(self.net(images))


@pytest.mark.parametrize(
    ("function", "read"),
    [
        (lambda z: (z.argmax(1), z.softmax(1)), lambda z: z.softmax(1)),
        (lambda z: (z[:, :, None, None].expand(-1, -1, 2, 2), z), lambda z: z),
        (lambda z: z[:, :, None, None], lambda z: z),
    ],
    ids=["classes and probabilities", "a map and logits", "logits of a convolution"],
)
def test_the_outputs_that_are_read_are_a_matrix_of_floats(tmp_path, function, read):
    network = Ending(function).eval()
    program = load_onnx(exported(network, tmp_path / "a.onnx"))[0]
    program.raw = True
    images = torch.rand(3, 3, 16, 16)
    torch.testing.assert_close(program(images), read(network.net(images)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda z: z, "linear"),
        (lambda z: z.sigmoid(), "sigmoid"),
        (lambda z: z.softmax(1).reshape(-1, 2), "softmax"),
        (lambda z: z[:, 1].sigmoid().unsqueeze(1), "sigmoid"),
        (lambda z: z @ torch.eye(2) + torch.ones(2), "mm"),
    ],
)
def test_the_operation_that_a_graph_ends_in_is_known(tmp_path, function, name):
    assert load_onnx(exported(Ending(function).eval(), tmp_path / "a.onnx"))[0].ending == name


BAD = [
    ({"shape": ["n", 1, 8, 8]}, r"takes float32 \[n, 1, 8, 8\]"),
    ({"shape": ["n", 3, 8, 6]}, r"takes float32 \[n, 3, 8, 6\]"),
    ({"shape": ["n", 3, 8, 8], "inputs": 2}, r"takes 2: x0 \[n, 3, 8, 8\], x1 \[n, 3, 8, 8\]"),
    ({"shape": ["n", 3, 8, 8], "kind": TensorProto.INT32}, r"takes int32 .*; export the network without"),
]


@pytest.mark.parametrize(("changes", "text"), BAD)
def test_anything_but_images_is_refused_in_one_line(tmp_path, changes, text):
    with pytest.raises(UsageError, match=text) as caught:
        load_onnx(made(tmp_path / "a.onnx", **changes))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_one_line(tmp_path):
    path = made(tmp_path / "a.onnx", shape=["n", 3, 8, 8])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match=r"a\.onnx is not a readable ONNX file: .*; copy or export it again") as caught:
        load_onnx(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_its_packages_the_extra_is_named(file, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    text = rf"ONNX files need {missing}; install it with: pip install 'fairdistill\[export\]'"
    with pytest.raises(UsageError, match=text):
        load_onnx(file)


def test_a_run_folder_may_name_one_since_it_runs_no_code(file):
    check_program(str(file))
