"""Configuration files as timm and Hugging Face's transformers write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairdistill.errors import UsageError
from fairdistill.models import build
from fairdistill.models.description.beside import described_beside
from fairdistill.models.description.described import Described
from fairdistill.models.description.input_rule import InputRule
from fairdistill.system.vision import import_timm

HUGGING_FACE = {
    "architectures": ["ViTForImageClassification"],
    "id2label": {"0": "female", "1": "male"},
    "image_size": 96,
    "label2id": {"female": 0, "male": 1},
    "model_type": "vit",
    "num_channels": 3,
}
PROCESSOR = {
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.25, 0.25, 0.25],
    "resample": 3,
    "size": {"height": 64, "width": 64},
}


def written(folder: Path, **files: object) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / "model.safetensors"


def test_what_timm_writes_is_read(tmp_path):
    network = build("timm:test_resnet", 2)
    import_timm().models.save_for_hf(
        network, tmp_path, model_config={"label_names": ["male", "female"]}, safe_serialization=True
    )
    found = described_beside(tmp_path / "model.safetensors")
    assert found == Described(
        files=("config.json",), network="timm:test_resnet", size=160,
        rule=InputRule(part="center", short=168, interpolation="bilinear"), mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5), class_names=("male", "female"),
    )  # fmt: skip


def test_timms_older_forms_are_read(tmp_path):
    config = {"architecture": "resnet18", "input_size": [3, 64, 64], "mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}
    found = described_beside(written(tmp_path, config=config))
    assert (found.network, found.size, found.mean) == ("timm:resnet18", 64, (0.1, 0.2, 0.3))
    found = described_beside(written(tmp_path, config={"default_cfg": {"input_size": [3, 32, 32], "crop_pct": 0.5}}))
    assert (found.network, found.size, str(found.rule), found.mean) == (None, 32, "center:64,bicubic", None)


def test_what_hugging_face_writes_is_read(tmp_path):
    found = described_beside(written(tmp_path, config=HUGGING_FACE, preprocessor_config=PROCESSOR))
    assert found == Described(
        files=("config.json", "preprocessor_config.json"), network=f"hf:{tmp_path}", size=64, mean=(0.5, 0.4, 0.3),
        std=(0.25, 0.25, 0.25), class_names=("female", "male"),
        rule=InputRule(part="whole", interpolation="bicubic"),
    )  # fmt: skip
    (tmp_path / "preprocessor_config.json").unlink()
    assert described_beside(tmp_path / "model.safetensors").size == 96


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size": 32}, {"size": 32}),
        ({"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}, "do_center_crop": True},
         {"size": 64, "rule": InputRule(part="center", short=72, interpolation="bicubic", floor=True)}),
        ({"size": 72, "crop_size": 64, "do_center_crop": False},
         {"size": 72, "rule": InputRule(part="whole", interpolation="bicubic")}),
        ({"size": {"height": 72, "width": 72}, "crop_size": 64, "do_center_crop": True, "resample": None},
         {"size": 64, "rule": InputRule(part="square", short=72, floor=True)}),
        ({"do_normalize": False}, {"mean": (0, 0, 0), "std": (1, 1, 1)}),
        ({"image_mean": 0.5, "image_std": [0.5]}, {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}),
        ({"do_rescale": False, "image_mean": 127.5, "image_std": 51}, {"mean": (0.5,) * 3, "std": (0.2,) * 3}),
        ({"rescale_factor": 2 / 255, "image_mean": 1, "image_std": 1}, {"mean": (0.5,) * 3, "std": (0.5,) * 3}),
    ],
)  # fmt: skip
def test_every_form_of_the_processor_is_understood(tmp_path, changes, expected):
    found = described_beside(written(tmp_path, config=HUGGING_FACE, preprocessor_config={**PROCESSOR, **changes}))
    for name, value in expected.items():
        assert getattr(found, name) == (pytest.approx(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize("config", [{}, [1, 2], {"size": 64, "mean": 0.5, "lr": 0.1}, {"input_size": [3, 9, 9]}])
def test_the_configuration_of_something_else_says_nothing(tmp_path, config):
    assert described_beside(written(tmp_path, config=config)) == Described()


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("{", r"config\.json is not readable JSON"),
        ({"architecture": "resnet18", "mean": [0.1, 0.2]}, r"config\.json.* has a value that cannot be read"),
        ({"architecture": "resnet18", "input_size": "big"}, r"config\.json.* has a value that cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, config, text):
    with pytest.raises(UsageError, match=text):
        described_beside(written(tmp_path, config=config))


CONVNEXT = {"size": {"shortest_edge": 224}, "crop_pct": 0.875, "do_resize": True}
EFFICIENTNET = {
    "image_mean": [0.0] * 3, "image_std": [1.0] * 3, "rescale_factor": 1 / 127.5, "rescale_offset": True,
}  # fmt: skip


def test_processors_that_crop_by_a_share_or_shift_pixels_are_understood(tmp_path):
    found = described_beside(written(tmp_path, config=HUGGING_FACE, preprocessor_config=CONVNEXT))
    assert (found.size, str(found.rule)) == (224, "center:256,floor")
    found = described_beside(written(tmp_path, config=HUGGING_FACE, preprocessor_config=EFFICIENTNET))
    assert found.mean == pytest.approx((0.5,) * 3)  # pixels / 127.5 - 1 = (p - 0.5) / 0.5 for p in [0, 1]
    assert found.std == pytest.approx((0.5,) * 3)
    found = described_beside(
        written(tmp_path, config=HUGGING_FACE, preprocessor_config={"do_flip_channel_order": True})
    )
    assert found.rule == InputRule(bgr=True)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"do_pad": True}, "images were padded"),
        ({"size": {"shortest_edge": 64}}, "images kept their aspect ratio and were not made square"),
        ({"do_resize": False}, "images were not resized"),
        ({"size": {"shortest_edge": 48}, "crop_size": 64, "do_center_crop": True}, "of 48 pixels were padded to 64"),
    ],
)
def test_what_is_not_done_here_is_said(tmp_path, changes, text):
    found = described_beside(written(tmp_path, config=HUGGING_FACE, preprocessor_config={**PROCESSOR, **changes}))
    assert text in " ".join(found.differs)
    assert found.size == 64
