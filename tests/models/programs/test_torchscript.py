from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import Tapped, Teacher, check_program, find_taps, trust_code
from fairdistill.models.intake import Remedies
from fairdistill.models.programs.torchscript import load_torchscript

KEEP = ("embedding", "map", "feature", "logits")


class Net(nn.Module):
    def __init__(self, outputs: int = 3, *, softmax: bool = False) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.BatchNorm2d(8)
        self.drop, self.head = nn.Dropout(0.5), nn.Linear(8, outputs)
        self.softmax = softmax

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.head(self.drop(self.norm(self.conv(images)).relu().mean((2, 3))))
        return logits.softmax(1) if self.softmax else logits


class Flat(nn.Module):
    """A network whose layers fix the size of its images."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 8 * 8, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(images.view(images.shape[0], -1))


class Counting(nn.Module):
    """A network whose path depends on the values of the images, so that it cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = images.mean((2, 3))
        while bool(found.sum() > 1000):
            found = found / 2
        return self.head(found)


def saved(network, path, how, *, size=16):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        network = network.eval()
        script = (
            torch.jit.script(network) if how != "traced" else torch.jit.trace(network, torch.rand(2, 3, size, size))
        )
        (torch.jit.freeze(script) if how == "frozen" else script).save(str(path))
    return path


@pytest.mark.parametrize("how", ["scripted", "traced", "frozen"])
def test_it_gives_the_outputs_and_features_of_the_network_for_any_number_of_images(tmp_path, how):
    torch.manual_seed(0)
    network = Net().eval()
    with torch.no_grad():
        network.norm.running_mean.uniform_(-1, 1)
    program = load_torchscript(saved(network, tmp_path / "m.pt", how), size=16, remedies=Remedies())
    points = find_taps(program, torch.rand(1, 3, 16, 16))
    teacher = Teacher(copy.deepcopy(program), points, keep=KEEP).to(torch.device("cpu"))
    eager = Tapped(network, find_taps(network, torch.rand(1, 3, 16, 16)) | {})
    for rows in (1, 2, 5):
        images = torch.rand(rows, 3, 16, 16)
        with torch.no_grad():
            taps, expected = teacher(images), eager(images)
            activated = network.norm(network.conv(images)).relu()
        torch.testing.assert_close(taps["logits"], expected["logits"])
        torch.testing.assert_close(taps["embedding"], expected["embedding"])
        torch.testing.assert_close(taps["map"], activated)


def test_an_operation_is_a_feature_by_its_name(tmp_path):
    program = load_torchscript(saved(Net(), tmp_path / "m.pt", "scripted"), size=16, remedies=Remedies())
    points = find_taps(program, torch.rand(1, 3, 16, 16), named={"feature": "conv2d"})
    assert Tapped(program, points)(torch.rand(5, 3, 16, 16))["feature"].shape == (5, 8, 4, 4)
    with pytest.raises(UsageError, match="has no module 'conv9'"):
        find_taps(program, torch.rand(1, 3, 16, 16), named={"feature": "conv9"})


def test_what_cannot_be_traced_still_gives_its_outputs(tmp_path):
    network = Counting()
    program = load_torchscript(saved(network, tmp_path / "m.pt", "scripted"), size=16, remedies=Remedies())
    images = torch.rand(4, 3, 16, 16)
    assert sorted(find_taps(program, images)) == []
    torch.testing.assert_close(Tapped(copy.deepcopy(program), {})(images)["logits"], network(images))


def test_a_wrong_size_names_the_right_one(tmp_path):
    path = saved(Flat(), tmp_path / "m.pt", "scripted")
    with pytest.raises(UsageError, match=r"m\.pt cannot take images of shape \(3, 16, 16\).*"):
        load_torchscript(path, size=16, remedies=Remedies(size="--model-size"))


def test_a_damaged_file_is_one_line(tmp_path):
    path = saved(Net(), tmp_path / "m.pt", "scripted")
    content = bytearray(path.read_bytes())
    at = content.index(b"code/__torch__") + 60
    content[at : at + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a TorchScript file that this PyTorch") as caught:
        load_torchscript(path, size=16, remedies=Remedies())
    assert "\n" not in str(caught.value)


def test_one_that_a_run_folder_names_is_read_only_if_the_user_names_it(tmp_path):
    path = str(saved(Net(), tmp_path / "other.pt", "scripted"))
    with pytest.raises(UsageError, match="is code that a file names, not you"):
        check_program(path)
    trust_code(path)
    check_program(path)
