"""What ``load`` gives a network beside its weights: class names, its transform and ``predict``."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

import fairdistill
from fairdistill.errors import DataError, UsageError
from fairdistill.models import build
from fairdistill.models.conv_net import digit_net
from tests.predictions import networks

METADATA = {
    "network": "digit_net", "class_names": '["a", "b", "c"]', "image_size": "16", "mean": "[0.5, 0.5, 0.5]",
    "std": "[0.25, 0.25, 0.25]",
}  # fmt: skip


def seeded() -> nn.Module:
    torch.manual_seed(0)
    return digit_net(3)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    draw = np.random.default_rng(0)
    paths = [tmp_path / f"{name}.png" for name in "xyz"]
    for path in paths:
        Image.fromarray(draw.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.fixture
def saved(tmp_path: Path):
    def save(made: nn.Module | None = None, /, **metadata: str | None) -> Path:
        given = {name: text for name, text in {**METADATA, **metadata}.items() if text is not None}
        save_file((made or seeded()).state_dict(), tmp_path / "one.safetensors", given)
        return tmp_path / "one.safetensors"

    return save


def test_a_single_file_is_loaded_with_its_classes_and_transform(saved, images):
    network = fairdistill.load(saved())
    assert type(network) is type(digit_net(3))
    assert network.class_names == ("a", "b", "c")
    batch = torch.stack([network.transform(path) for path in images])
    pixels = torch.from_numpy(np.stack([np.array(Image.open(path)) for path in images])).permute(0, 3, 1, 2)
    torch.testing.assert_close(batch, (pixels / 255 - 0.5) / 0.25)
    said = network.predict(images)
    np.testing.assert_allclose(said.probabilities, network(batch).softmax(1).detach().numpy(), atol=1e-6)
    assert said.names == tuple("abc"[label] for label in said.probabilities.argmax(axis=1))
    assert len(network.predict(str(images[0]))) == 1


def test_pillow_images_give_what_their_files_give(saved, images):
    network = fairdistill.load(saved(center_crop="1.2500"))
    opened = [Image.open(path) for path in images]
    np.testing.assert_array_equal(network.predict(opened).probabilities, network.predict(images).probabilities)
    with pytest.raises(DataError, match="give the path of its file"):
        network.predict(Image.new("I;16", (8, 8)))
    with pytest.raises(UsageError, match="but got a int"):
        network.predict([3])
    with pytest.raises(UsageError, match="at least one image"):
        network.predict([])


def test_it_is_a_plain_module_that_can_be_copied_pickled_and_exported(saved, images):
    network = fairdistill.load(saved())
    assert set(network.state_dict()) == set(digit_net(3).state_dict())
    twin = copy.deepcopy(network)
    for parameter in twin.parameters():
        nn.init.zeros_(parameter)
    assert twin.predict(images).probabilities == pytest.approx(1 / 3)
    buffer = io.BytesIO()
    torch.save(network, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=False)
    np.testing.assert_array_equal(again.predict(images).probabilities, network.predict(images).probabilities)
    torch.export.export(network, (torch.rand(2, 3, 16, 16),))
    network.train()
    network.predict(images)
    assert network.training


def test_an_image_that_cannot_be_read_is_named(saved, tmp_path):
    network = fairdistill.load(saved())
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cannot read the image .*bad.png: it is not an image"):
        network.predict(tmp_path / "bad.png")
    with pytest.raises(DataError, match=r"there is no image .*none.png"):
        network.predict(tmp_path / "none.png")


def test_what_a_file_does_not_say_is_none_or_asked_for(saved, images):
    network = fairdistill.load(saved(class_names=None, mean=None))
    assert (network.class_names, network.transform) == (None, None)
    with pytest.raises(UsageError, match="does not say how its images are prepared"):
        network.predict(images)
    transform = fairdistill.load(saved()).transform
    assert network.predict(images, transform=transform).class_names == ("0", "1", "2")
    assert network.predict(images, transform=transform, class_names="xyz").class_names == ("x", "y", "z")
    with pytest.raises(UsageError, match="3 outputs, but 2 class names"):
        network.predict(images, transform=transform, class_names="xy")
    with pytest.raises(UsageError, match="does not name its network"):
        fairdistill.load(saved(network=None))
    assert isinstance(fairdistill.load(saved(network=None), model="digit_net"), nn.Module)
    with pytest.raises(UsageError, match="unreadable model metadata"):
        fairdistill.load(saved(image_size="x"))


def test_one_logit_and_probabilities_become_two_classes(saved, images):
    module = "tests.predictions.networks"
    for name in ("sigmoid", "one_logit"):
        network = networks.drawn(getattr(networks, name)())
        path = saved(network, network=f"{module}:{name}", class_names='["no", "yes"]')
        loaded = fairdistill.load(path, model=f"{module}:{name}")
        output = loaded(torch.stack([loaded.transform(image) for image in images])).detach().flatten()
        positive = output if name == "sigmoid" else output.sigmoid()
        np.testing.assert_allclose(loaded.predict(images).probabilities[:, 1], positive.numpy(), atol=1e-6)


def test_a_networks_own_names_are_not_taken(saved, images, monkeypatch):
    monkeypatch.setattr(type(digit_net(3)), "predict", lambda self, images: "mine", raising=False)
    assert fairdistill.load(saved()).predict(images) == "mine"
    assert build("digit_net", 3).predict(images) == "mine"
