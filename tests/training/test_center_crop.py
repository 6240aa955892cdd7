"""Training and auditing on center crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from fairdistill.auditing import audit
from fairdistill.data import Pipeline
from fairdistill.data.images.view import View
from fairdistill.errors import TeacherError
from fairdistill.training import TrainOptions, train
from fairdistill.training.setup import prepare
from tests.training.faces import OPTIONS, draw_table

CENTER = {"crop": "center", "stored_size": 18}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return draw_table(tmp_path / "data", train=24, test=8)


def options(table: Path, *, crop: dict[str, Any], **changes: Any) -> TrainOptions:
    own = {**OPTIONS, "image_cache": str(table.parent.parent / "images"), **crop}
    given = {"model": "digit_net", "steps": 2, "batch_size": 8, "device": "cpu", "precision": "float32", **changes}
    return TrainOptions(data=str(table), data_options=own, out=str(table.parent.parent / "run"), **given)


def test_a_run_trains_on_the_center_and_its_file_says_so(table, capsys):
    run = train(options(table, crop=CENTER))
    assert "images: center 16x16 of an image whose short side is resized to 18" in capsys.readouterr().err
    with safe_open(run.path / "model.safetensors", "pt") as file:
        described = file.metadata()
    assert described["center_crop"] == "1.1250"
    assert described["exif"] == "false"
    taught = prepare(options(table, crop={}, method="hkd", teacher=str(run.path), steps=20))
    assert taught.data.train.recipe.view == taught.teacher.model.recipe.view == View(16, 16, 18)
    assert taught.cache is not None  # the crop is the same in every epoch
    own = Pipeline(taught.data.train, device=torch.device("cpu"), seed=0)
    whole = Image.open(table.parent / taught.data.train.ids[0]).convert("RGB")
    cut = whole.resize((18, 18), Image.Resampling.BILINEAR).crop((1, 1, 17, 17))
    seen = own.batch(torch.tensor([0])).images[0]
    recipe = taught.data.train.recipe
    back = (seen * torch.tensor(recipe.std).view(3, 1, 1) + torch.tensor(recipe.mean).view(3, 1, 1)) * 255
    expected = torch.from_numpy(np.array(cut)).permute(2, 0, 1)
    assert (back - expected).abs().max() < 1.01


def test_a_model_is_audited_on_what_it_was_trained_on(table):
    run = train(options(table, crop=CENTER), quiet=True)
    own = {**OPTIONS, "cache": False}
    other = table.rename(table.with_name("other.csv"))
    saved = json.loads((run.path / "result.json").read_text())
    for crop in ({}, CENTER, {"crop": "none"}):  # its own file says which
        found = audit(run.path, data=str(other), device="cpu", data_options={**own, **crop})
        assert found.model.rule == "center:18,bilinear"
        assert found.accuracy.value == pytest.approx(saved["accuracy"])
    assert any("--crop was not used, since the model's file gives center:18" in note for note in found.notes)


def test_a_teacher_that_is_older_than_the_options_agrees_with_their_defaults(table):
    run = train(options(table, crop={}), quiet=True)
    config = (run.path / "config.yaml").read_text()
    kept = [line for line in config.splitlines() if line.strip() not in ("exif: false", "bits: null")]
    assert len(kept) == len(config.splitlines()) - 2
    (run.path / "config.yaml").write_text("\n".join(kept))
    taught = prepare(options(table, crop={}, method="hkd", teacher=str(run.path)))
    assert taught.options.data_options["exif"] is False
    with pytest.raises(TeacherError, match="was trained with exif False, not True"):
        prepare(options(table, crop={"exif": True}, method="hkd", teacher=str(run.path)))
