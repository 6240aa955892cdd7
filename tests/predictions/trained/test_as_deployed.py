"""Students of a model of transformers or timm see what it sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fairdistill.predictions.trained.as_deployed import data_options_as_deployed
from fairdistill.predictions.trained.own_description import own_description
from fairdistill.predictions.trained.source import ModelSource

PROCESSOR = {
    "size": {"shortest_edge": 55}, "crop_size": 48, "do_center_crop": True, "resample": 3, "image_mean": 0.5,
    "image_std": 0.25,
}  # fmt: skip
SEEN = {
    "size": 48, "mean": "0.5,0.5,0.5", "std": "0.25,0.25,0.25", "interpolation": "bicubic", "crop": "center",
    "stored_size": 55,
}  # fmt: skip


def model(folder: Path) -> ModelSource:
    save_file({"weight": torch.zeros(1)}, folder / "model.safetensors")
    return ModelSource(path=str(folder / "model.safetensors"), option="model")


def seen(source: ModelSource, data: str, given: dict[str, Any]) -> dict[str, Any]:
    return data_options_as_deployed(source, own_description(source).described, data, given)


@pytest.fixture
def source(tmp_path: Path) -> ModelSource:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", "architectures": ["X"]}))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return model(tmp_path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, SEEN),
        ({"label": "age"}, {**SEEN, "label": "age"}),
        ({"size": 96}, {**SEEN, "size": 96, "stored_size": 110}),
        ({"mean": "0.1"}, {**SEEN, "mean": "0.1"}),
        ({"crop": "none"}, {**{k: v for k, v in SEEN.items() if k != "stored_size"}, "crop": "none"}),
    ],
)
def test_what_the_user_does_not_set_is_as_the_model_was_made_for(source, given, expected):
    assert seen(source, "faces.csv", given) == expected


def test_options_of_the_model_hold_for_students_too(source):
    other = ModelSource(path=source.path, option="model", size=32, mean="0.3", given_rule="whole,aliased")
    found = seen(other, "faces.csv", {})
    assert (found["size"], found["mean"], found["antialias"]) == (32, "0.3", False)
    assert "crop" not in found


def test_data_sets_with_their_own_preprocessing_keep_it(source):
    assert seen(source, "digits-s", {"skew": 0.8}) == {"skew": 0.8}


def test_a_model_that_says_nothing_changes_nothing(tmp_path):
    source = model(tmp_path)
    assert seen(source, "faces.csv", {"size": 64}) == {"size": 64}
