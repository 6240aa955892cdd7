from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import ExportedNetwork, Tapped, TapPoint, Teacher, class_logits, find_taps, load_program
from fairdistill.system.vision import import_timm, import_torchvision
from tests.models.user_net import ConvHeadNet, CosineNet, FunctionalNet, OneLogitNet

KEEP = ("embedding", "map", "feature", "logits")


def export(network, path, *, example=None, dynamic=(0,), decomposed=False):
    """Export a network for 2 images, any number of them by default."""
    example = torch.rand(2, 3, 64, 64) if example is None else example
    dims = dict.fromkeys(dynamic, torch.export.Dim.AUTO)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter uses parts of PyTorch that are deprecated
        program = torch.export.export(network, (example,), dynamic_shapes=(dims,) if dims else None)
        torch.export.save(program.run_decompositions() if decomposed else program, path)
    return path


def resnet():
    """Return a ResNet-18 in everything but its depth."""
    resnet = import_torchvision().models.resnet
    network = resnet.ResNet(resnet.BasicBlock, [1, 1, 1, 1], num_classes=3)
    network.layer3, network.layer4, network.fc = nn.Identity(), nn.Identity(), nn.Linear(128, 3)
    return network


def convnext():
    return import_timm().models.convnext.ConvNeXt(depths=(1,) * 4, dims=(8,) * 4, num_classes=3)


def transformer():
    kind = import_timm().models.vision_transformer.VisionTransformer
    return kind(img_size=64, embed_dim=16, depth=1, num_heads=2, num_classes=3)


# network, whether any number of images is exported, whether in PyTorch's core operators
NETWORKS = {
    "resnet": (resnet, False, False),
    "convnext": (convnext, True, False),
    "transformer": (transformer, False, False),
    "transformer of core operators": (transformer, False, True),
    "functional": (FunctionalNet, False, False),
    "functional of core operators": (FunctionalNet, True, True),
    "one logit": (OneLogitNet, True, False),
    "one logit of core operators": (OneLogitNet, False, True),
    "convolutional head": (lambda: ConvHeadNet(3), True, False),
    "cosine head": (lambda: CosineNet(3), False, False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_program_gives_the_features_of_the_network_for_any_number_of_images(tmp_path, name):
    make, dynamic, decomposed = NETWORKS[name]
    torch.manual_seed(0)
    network = make().eval()
    path = export(network, tmp_path / "a.pt2", dynamic=(0,) if dynamic else (), decomposed=decomposed)
    program = load_program(str(path))
    assert program.image_size == 64
    assert program.batch_size == (None if dynamic else 2)
    points = find_taps(program, torch.rand(1, 3, 64, 64))
    teacher = Teacher(program, points, keep=KEEP).to(torch.device("cpu"))
    eager = Tapped(network, find_taps(network, torch.rand(1, 3, 64, 64)))
    for rows in (1, 2, 5):
        images = torch.rand(rows, 3, 64, 64)
        with torch.no_grad():
            expected, taps = eager(images), teacher(images)
        assert expected.keys() == taps.keys()
        assert taps["feature"] is taps["embedding"]
        assert ("map" in taps) is ("transformer" not in name)
        for tap in taps.keys() - {"feature"}:
            if name == "cosine head" and tap == "embedding":
                torch.testing.assert_close(taps[tap], F.normalize(expected[tap]))  # what the product itself reads
            else:
                torch.testing.assert_close(taps[tap], expected[tap], rtol=1e-4, atol=1e-5)


@pytest.fixture
def program(tmp_path):
    torch.manual_seed(0)
    return load_program(export(FunctionalNet().eval(), tmp_path / "a.pt2"))


def test_it_is_a_plain_module_that_is_always_in_eval_mode(program):
    assert isinstance(program, ExportedNetwork)
    for network in (program, copy.deepcopy(program)):
        assert network.train() is network
        assert network.eval() is network
        assert not any(module.training for module in network.modules())
        assert network.tap_points == {"embedding": TapPoint("features.embedding"), "map": TapPoint("features.map")}
    assert {name.removeprefix("program.") for name in program.state_dict()} == set(FunctionalNet().state_dict())


def test_it_runs_in_lower_precision_as_the_network_does(tmp_path):
    network = OneLogitNet().eval()
    images = torch.rand(3, 3, 64, 64)
    for decomposed in (False, True):
        program = load_program(export(network, tmp_path / "a.pt2", decomposed=decomposed))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(program(images), class_logits(network(images)), rtol=0.02, atol=0.02)


def test_moving_it_moves_the_devices_written_in_its_graph(tmp_path):
    class WithConstants(FunctionalNet):
        def forward(self, images):
            return super().forward(images + torch.ones(64, device=images.device))

    program = load_program(export(WithConstants().eval(), tmp_path / "a.pt2"))
    images = torch.rand(2, 3, 64, 64)
    assert program(images).shape == (2, 3)
    moved = copy.deepcopy(program).to("meta")
    assert moved(images.to("meta")).device.type == "meta"
    assert program(images).device.type == "cpu"


def test_any_image_size_is_taken_where_the_program_takes_any(tmp_path):
    program = load_program(export(FunctionalNet().eval(), tmp_path / "a.pt2", dynamic=(0, 2, 3)))
    assert program.image_size is None
    for size in (16, 33):
        images = torch.rand(2, 3, size, size)
        assert Tapped(program, find_taps(program, images))(images)["map"].shape == (2, 8, size // 2, size // 2)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 1, 64, 64), (1, 3, 64, 32)])
def test_images_of_another_size_are_refused_with_the_way_out(program, shape):
    with pytest.raises(UsageError, match=r"takes images of shape \(3, 64, 64\), but got .*dynamic shapes"):
        find_taps(program, torch.rand(shape))


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "not an exported program"), (b"hello", "not an exported program"), (None, "not a program")],
)
def test_a_file_that_is_no_program_is_named(tmp_path, content, text):
    path = tmp_path / "a.pt2"
    if content is None:
        torch.save({"a": torch.zeros(1)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=f"a.pt2 is {text}.*torch.export.save"):
        load_program(path)
    with pytest.raises(UsageError, match="there is no file"):
        load_program(tmp_path / "none.pt2")


def test_half_a_program_is_named(tmp_path):
    path = export(FunctionalNet().eval(), tmp_path / "a.pt2")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UsageError, match=r"a\.pt2 is "):
        load_program(path)


@pytest.mark.parametrize("decomposed", [False, True])
@pytest.mark.parametrize("network", [FunctionalNet(), nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(12288, 3))])
def test_a_program_that_was_exported_in_train_mode_is_refused(tmp_path, network, decomposed):
    path = export(network.train(), tmp_path / "a.pt2", decomposed=decomposed)
    with pytest.raises(UsageError, match=r"exported in train mode; call model\.eval\(\)"):
        load_program(path)


def test_a_program_of_other_inputs_is_refused(tmp_path):
    class Two(nn.Module):
        def forward(self, images, scale):
            return (images * scale).mean((2, 3))

    example = torch.rand(2, 3, 8, 8)
    torch.export.save(torch.export.export(Two(), (example, torch.ones(()))), tmp_path / "two.pt2")
    grey = export(nn.Flatten(), tmp_path / "grey.pt2", example=torch.rand(2, 1, 8, 8))
    oblong = export(nn.Flatten(), tmp_path / "oblong.pt2", example=torch.rand(2, 3, 8, 9))
    whole = export(nn.Flatten(), tmp_path / "whole.pt2", example=torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    for path, text in (
        (tmp_path / "two.pt2", r"takes 2: \(2, 3, 8, 8\), \(\)"),
        (grey, "takes torch.float32"),
        (oblong, "takes torch.float32"),
        (whole, "takes torch.uint8"),
    ):
        with pytest.raises(UsageError, match=rf"one input, images \[N, 3, H, W\] with H = W.*{text}"):
            load_program(path)
