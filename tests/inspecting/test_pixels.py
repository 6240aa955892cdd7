from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fairdistill.cli.main import main
from fairdistill.inspecting import inspect
from tests.training.faces import draw_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = draw_table(tmp_path / "data", train=8, test=8)
    exif = Image.Exif()
    exif[0x0112] = 3
    for number in range(4):
        Image.new("L", (20, 20), 7).save(path.parent / f"train/00{number}.png")
    for name in ("test/000.png", "test/001.png"):
        Image.open(path.parent / name).convert("RGB").save(path.parent / name, exif=exif)
    deep = np.arange(400, dtype=np.uint16).reshape(20, 20) * 10
    Image.fromarray(deep).save(path.parent / "test/002.png")
    return path


def test_what_decoding_shows_is_counted_and_named(table):
    options = {"label": "shape", "group": "ground", "size": 16, "cache": False}
    found = inspect(table, **options)
    assert (found.pixels.constant, found.pixels.constant_images[0]) == (4, "train/000.png")
    assert len(found.pixels.constant_images) == 3
    assert (found.pixels.turned, found.pixels.exif_applied) == (2, False)
    assert found.pixels.turned_images == ("test/000.png", "test/001.png")
    assert (found.pixels.deep, found.pixels.bits) == (1, 12)
    assert found.pixels.whole
    assert inspect(table, exif=True, **options).pixels.exif_applied
    assert inspect(table, bits=16, **options).pixels.bits == 16
    assert inspect("digits-s").pixels is None


def test_the_text_says_what_is_odd_and_what_a_network_sees(table, capsys):
    arguments = ["data", "inspect", "--data", str(table), "--label", "shape", "--group", "ground", "--size", "16"]
    assert main([*arguments, "--no-cache"]) == 0
    shown = capsys.readouterr().out
    assert "4 images are a single color: train/000.png, train/001.png, train/002.png and 1 more." in shown
    assert "2 images have an EXIF orientation other than upright (test/000.png, test/001.png)" in shown
    assert "1 image stores more than 8 bits a channel; it was read as 12-bit values (white is 4,095; --bits" in shown
    assert "A network sees the whole image resized to 16x16.\n" in shown
    assert main([*arguments, "--no-cache", "--crop", "center"]) == 0
    assert "the center 16x16 of an image whose short side is resized to 18" in capsys.readouterr().out


def test_an_image_that_is_stretched_is_said_to_be(table, capsys):
    for path in table.parent.glob("*/*.png"):
        Image.open(path).convert("RGB").resize((30, 20)).save(path)
    arguments = ["data", "inspect", "--data", str(table), "--label", "shape", "--group", "ground", "--size", "16"]
    assert main([*arguments, "--no-cache"]) == 0
    assert "resized to 16x16, which changes its aspect ratio; --crop center keeps it." in capsys.readouterr().out


def test_missing_images_are_named_with_the_folder_that_was_searched(table, capsys):
    for number in range(4, 8):
        (table.parent / f"train/00{number}.png").unlink()
    arguments = ["data", "inspect", "--data", str(table), "--label", "shape", "--group", "ground", "--size", "16"]
    assert main([*arguments, "--no-cache"]) == 0
    shown = capsys.readouterr().out
    assert f"4 of 16 images do not exist in {table.parent}: train/004.png, train/005.png, train/006.png and 1" in shown
    moved = table.parent.parent / "tables"
    moved.mkdir()
    table.rename(moved / "t.csv")
    assert main([*arguments[:3], str(moved / "t.csv"), *arguments[4:], "--no-cache"]) == 2
    shown = capsys.readouterr().err
    assert f"16 of 16 images do not exist in {moved}: train/000.png, train/001.png, train/002.png and 13 more" in shown
    assert shown.count("\n") == 1
