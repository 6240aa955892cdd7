from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fairdistill.data import Recipe, load
from fairdistill.errors import TeacherError
from fairdistill.predictions.agreement import check_agreement, description
from tests.data.making import dataset

WHOLE = replace(dataset([0, 1], [0, 1]), recipe=Recipe(size=224))
CENTER = replace(WHOLE, recipe=Recipe(size=224, crop="center", stored=(256, 256)))


def test_a_model_agrees_with_the_data_it_was_trained_on_at_any_size():
    for data in (WHOLE, CENTER):
        check_agreement(description(data), data, "the model m")
        check_agreement(description(data), replace(data, recipe=data.recipe.resized(97)), "the model m")
        check_agreement({}, data, "the model m")


def test_random_crops_are_evaluated_as_whole_images():
    drawn = replace(WHOLE, recipe=Recipe(size=224, crop="resized", stored=(256, 256)))
    check_agreement(description(drawn), WHOLE, "the model m")


def test_another_crop_is_refused_with_the_option_that_mends_it():
    with pytest.raises(
        TeacherError, match=r"m was trained on center crops \(87\.5% of the short side\), .* whole images;"
    ):
        check_agreement(description(CENTER), WHOLE, "the model m")
    with pytest.raises(TeacherError, match="use --crop center --stored-size 256"):
        check_agreement(description(CENTER), WHOLE, "the model m")
    with pytest.raises(TeacherError, match="use another --crop than center"):
        check_agreement(description(WHOLE), CENTER, "the model m")
    wider = replace(WHOLE, recipe=Recipe(size=224, crop="center", stored=(224, 224)))
    with pytest.raises(TeacherError, match="use --crop center --stored-size 256"):
        check_agreement(description(CENTER), wider, "the model m")


def test_orientation_must_agree(tmp_path):
    lines = ["image,label,group"]
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},{number // 2 % 2}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    ignored, applied = (
        load(str(tmp_path / "t.csv"), "train", size=6, cache=False, exif=exif) for exif in (False, True)
    )
    check_agreement(description(applied), applied, "the model m")
    with pytest.raises(TeacherError, match=r"trained with --exif, .*; add --exif"):
        check_agreement(description(applied), ignored, "the model m")
    with pytest.raises(TeacherError, match=r"trained without --exif, .*; drop --exif"):
        check_agreement(description(ignored), applied, "the model m")
