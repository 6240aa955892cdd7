"""Models of transformers and timm in their own folders: predicted as their own pipelines predict."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from fairdistill.predicting import predict
from fairdistill.system.vision import import_timm, import_transformers

transformers, timm = import_transformers(), import_timm()

CLIP = {"size": {"shortest_edge": 37}, "crop_size": {"height": 32, "width": 32}}
PROCESSORS: dict[str, dict[str, Any]] = {
    "ViTImageProcessor": {"size": {"height": 32, "width": 32}},
    "PvtImageProcessor": {"size": {"height": 32, "width": 32}},
    "CLIPImageProcessor": CLIP,
    "DeiTImageProcessor": {**CLIP, "size": {"height": 37, "width": 37}},
    "ConvNextImageProcessor": {"size": {"shortest_edge": 32}},
    "LevitImageProcessor": {**CLIP, "size": {"shortest_edge": 32}},
    "PoolFormerImageProcessor": {**CLIP, "size": {"shortest_edge": 32}},
    "EfficientNetImageProcessor": {
        "size": {"height": 32, "width": 32}, "rescale_factor": 1 / 127.5, "rescale_offset": True,
    },
    "MobileViTImageProcessor": CLIP,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    draw = np.random.default_rng(0)
    for at, (width, height) in enumerate([(90, 71), (71, 113), (64, 64), (133, 60), (50, 101), (40, 37)]):
        coarse = draw.integers(0, 256, (height // 5 + 2, width // 5 + 2, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{at}.png")
    return folder


def pictures(images: Path) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(images.iterdir())]


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.log(probabilities[:, 1] / probabilities[:, 0])
    return found


@pytest.mark.parametrize("kind", PROCESSORS)
def test_a_folder_of_transformers_is_predicted_as_its_own_processor_does(kind, images, tmp_path):
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8,
        id2label={0: "a", 1: "b"},
    )  # fmt: skip
    network = stirred(transformers.AutoModelForImageClassification.from_config(config))
    network.save_pretrained(tmp_path)
    getattr(transformers, kind)(**PROCESSORS[kind]).save_pretrained(tmp_path)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path, local_files_only=True)
    with torch.no_grad():
        inputs = torch.cat([processor(each, return_tensors="pt")["pixel_values"] for each in pictures(images)])
        expected = network(inputs).logits
    found = predict(tmp_path, images=str(images), device="cpu", precision="float32")
    np.testing.assert_allclose(log_odds(found.probabilities), (expected[:, 1] - expected[:, 0]).numpy(), atol=2e-5)


@pytest.mark.parametrize(
    ("interpolation", "share", "mode"),
    [("bicubic", 0.875, "center"), ("bilinear", 0.95, "center"), ("bicubic", 1.0, "center"), ("bicubic", 0.9, "squash"),
     ("bilinear", 1.0, "squash"), ("lanczos", 0.9, "center")],
)  # fmt: skip
def test_a_folder_of_timm_is_predicted_as_its_own_transform_does(interpolation, share, mode, images, tmp_path):
    said = {"interpolation": interpolation, "crop_pct": share, "crop_mode": mode, "input_size": (3, 32, 32)}
    network = stirred(timm.create_model("test_resnet", num_classes=2, pretrained_cfg_overlay=said))
    timm.models.save_for_hf(network, tmp_path, model_config={"label_names": ["a", "b"]}, safe_serialization=True)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    inputs = torch.stack([transform(each) for each in pictures(images)])
    found = predict(tmp_path, images=str(images), device="cpu", precision="float32")

    def margin(batch: Tensor) -> np.ndarray:
        with torch.no_grad():
            logits = network(batch)
        values: np.ndarray = (logits[:, 1] - logits[:, 0]).numpy()
        return values

    expected = margin(inputs)
    # Pillow resizes in whole numbers between its two passes: its pixels differ from PyTorch's by one or two of 255.
    near = 2 / (255 * min(network.pretrained_cfg["std"]))
    moved = [margin(inputs + near * torch.randn(inputs.shape).clamp(-1, 1)) for _ in range(8)]
    tolerance = max(1e-4, 3 * float(np.abs(np.array(moved) - expected).max()))
    assert np.abs(log_odds(found.probabilities) - expected).max() < tolerance
    whole = predict(
        tmp_path, images=str(images), device="cpu", precision="float32", model_input="whole,bilinear,aliased"
    )
    assert np.abs(log_odds(whole.probabilities) - expected).max() > 3 * tolerance or mode == "squash"


def test_options_override_what_the_folder_says(images, tmp_path):
    network = stirred(timm.create_model("test_resnet", num_classes=2))
    timm.models.save_for_hf(network, tmp_path, model_config={"label_names": ["a", "b"]}, safe_serialization=True)
    options = {"images": str(images), "device": "cpu", "precision": "float32", "model_size": 32}
    found = predict(tmp_path, model_input="center:36,nearest,bgr", model_mean="0.1", **options)
    assert (found.model.rule, found.model.mean) == ("center:36,nearest,bgr", (0.1,) * 3)
    same = predict(tmp_path, crop="center", stored_size=36, model_input="nearest,bgr", model_mean="0.1", **options)
    np.testing.assert_array_equal(same.probabilities, found.probabilities)
    plain = predict(tmp_path, model_input="center:36,nearest,rgb", model_mean="0.1", **options)
    assert not np.allclose(plain.probabilities, found.probabilities)
