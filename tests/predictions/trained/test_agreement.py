from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fairdistill.data import Recipe, load
from fairdistill.data.images.view import Resizing
from fairdistill.errors import TeacherError, UsageError
from fairdistill.models.description.described import described_in
from fairdistill.predictions.trained.agreement import check_agreement, description, geometry
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


def test_what_is_written_of_the_geometry_is_read_again():
    how = Resizing(interpolation="bicubic", square=True)
    cubic = Recipe(size=224, crop="center", stored=(256, 256), resizing=how, bgr=True)
    for recipe in (WHOLE.recipe, CENTER.recipe, cubic):
        found = described_in({"image_size": "224", **geometry(recipe)}).rule
        assert found.applied(Recipe(size=224)) == recipe
    assert geometry(CENTER.recipe) == {"center_crop": "1.1429"}  # as in earlier versions


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


def exposures(folder, name, brightest, kind):
    """A table of images of 16 bits or floats whose largest value is this."""
    lines = ["image,label,group"]
    for number in range(8):
        values = (np.random.default_rng(number).random((6, 6)) * brightest).astype(kind)
        values[0, 0] = brightest
        Image.fromarray(values).save(folder / f"{name}{number}.tif")
        lines.append(f"{name}{number}.tif,{number % 2},{number // 2 % 2}")
    (folder / f"{name}.csv").write_text("\n".join(lines))
    return lambda **options: load(str(folder / f"{name}.csv"), "train", size=6, cache=False, **options)


def test_the_range_of_deep_images_must_agree(tmp_path):
    bright, dark = (exposures(tmp_path, str(brightest), brightest, np.uint16) for brightest in (4095, 1000))
    said = description(bright())
    assert said["bits"] == "12"
    check_agreement(said, bright(), "the model m")
    check_agreement(said, dark(bits=12), "the model m")
    reason = r"trained on 12-bit values \(white is 4,095\), but .* 10-bit values .*; add --bits 12"
    with pytest.raises(TeacherError, match=reason):
        check_agreement(said, dark(), "the model m")


def test_the_range_of_floats_must_agree(tmp_path):
    wide, narrow = (exposures(tmp_path, str(brightest), brightest, np.float32) for brightest in (255, 100))
    said = description(wide())
    assert said["real_bits"] == "8"
    check_agreement(said, wide(), "the model m")
    with pytest.raises(TeacherError, match=r"floats from 0 to 255, but these were read as values from 0 to 127"):
        check_agreement(said, narrow(), "the model m")


def test_images_of_8_bits_agree_with_any_range(tmp_path):
    assert not {"bits", "real_bits"} & set(description(WHOLE))
    check_agreement({"bits": "12", "real_bits": "1"}, WHOLE, "the model m")
    check_agreement(description(WHOLE), exposures(tmp_path, "dark", 1000, np.uint16)(), "the model m")
    with pytest.raises(UsageError, match=r"real_bits='1\.5'; expected a number from 1 to 32"):
        check_agreement({"real_bits": "1.5"}, WHOLE, "the model m")
