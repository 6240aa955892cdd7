"""The image cache as JPEG: much smaller, nearly the same pixels, chosen where raw pixels would fill the disk."""

from __future__ import annotations

import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill import data
from fairdistill.data.images import cache_format as module
from fairdistill.data.images.cache import ImageCache
from fairdistill.data.images.cache_format import compressing
from fairdistill.data.images.compressing import compressed, expected_bytes, uncompressed
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.reading import ImageFiles, Storage, scan
from fairdistill.data.images.sources import Folder
from fairdistill.data.images.view import View
from fairdistill.errors import DataError, UsageError
from tests.training.faces import OPTIONS, draw_table

NAMES = [f"{number}.png" for number in range(6)]
SIZE = 96
VIEW = View(SIZE, SIZE)
RAW, JPEG = Decoding(), Decoding(jpeg=True)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    folder = tmp_path / "images"
    folder.mkdir()
    for name in NAMES:
        coarse = draw.integers(40, 216, (7, 7, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(folder / name)
    return folder


def storage(images: Path, how: Decoding = RAW, **changes: object) -> Storage:
    return replace(Storage(images.parent / "cache", 2, how), **changes)  # type: ignore[arg-type]


def files(images: Path, how: Decoding) -> ImageFiles:
    kept = storage(images, how)
    found = scan(Folder(images), NAMES, kept, VIEW)
    return ImageFiles(Folder(images), np.array(NAMES, object), kept, found.digests, found.facts)


def test_a_jpeg_has_nearly_the_pixels_of_the_image(images):
    pixels = np.asarray(Image.open(images / NAMES[0]).convert("RGB"))
    content = compressed(pixels)
    assert len(content) < pixels.size / 4
    again = uncompressed(content)
    assert np.abs(again.astype(int) - pixels).max() <= 9
    assert (uncompressed(memoryview(content)) == again).all()


def test_a_cache_of_jpegs_is_smaller_and_read_alike_on_every_call(images):
    raw, jpeg = (files(images, how) for how in (RAW, JPEG))
    rows = torch.tensor([5, 0, 0, 3])
    exact, near = (each.reader(VIEW).take(rows) for each in (raw, jpeg))
    apart = (exact.int() - near.int()).abs()
    assert 0 < apart.max() <= 9
    assert torch.equal(files(images, JPEG).reader(VIEW).take(rows), near)
    boxes = torch.zeros(4, 4, dtype=torch.float64) + 0.25
    assert torch.equal(jpeg.reader(VIEW).windows(rows, boxes, 16), near[:, :, 24:40, 24:40])
    used = {path.parent.name: path.stat().st_blocks for path in (images.parent / "cache").rglob("pixels.bin")}
    small, large = sorted(used.values())
    assert "jpeg" in min(used, key=lambda name: used[name])
    assert small < large / 2
    assert jpeg.digest() != raw.digest()  # a run does not resume with other pixels


def test_noise_that_no_jpeg_makes_smaller_is_kept_as_it_is(images):
    noise = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(noise).save(images / NAMES[0])
    cache = ImageCache(images.parent / "c", Folder(images), view=View(4, 4), how=JPEG, workers=1)
    cache.fill(NAMES[:1], lambda _: None)
    assert (cache.take(torch.from_numpy(cache.slots(NAMES[:1])))[0].permute(1, 2, 0).numpy() == noise).all()


def test_a_damaged_jpeg_is_decoded_again(images):
    first = files(images, JPEG).reader(VIEW).take(torch.arange(6))
    (path,) = (images.parent / "cache").rglob("pixels.bin")
    content = bytearray(path.read_bytes())
    content[100:140] = bytes(40)
    path.write_bytes(content)
    again = files(images, JPEG).reader(VIEW)
    assert torch.equal(again.take(torch.arange(6)), first)
    assert torch.equal(files(images, JPEG).reader(VIEW).take(torch.arange(6)), first)  # and written again
    os.truncate(path, 5)
    assert torch.equal(files(images, JPEG).reader(VIEW).take(torch.arange(6)), first)
    assert zlib.crc32(path.read_bytes()) != zlib.crc32(bytes(content))


def chosen(images: Path, kept: Storage) -> bool:
    return compressing(kept, Folder(images), [(VIEW, NAMES)]).how.jpeg


def test_jpeg_is_chosen_where_pixels_would_take_half_of_the_disk(images, monkeypatch):
    raw = len(NAMES) * SIZE * SIZE * 3
    monkeypatch.setattr(module, "free_bytes", lambda _: 2 * raw)
    assert not chosen(images, storage(images))
    monkeypatch.setattr(module, "free_bytes", lambda _: 2 * raw - 1)
    assert chosen(images, storage(images))
    assert not chosen(images, storage(images, format="raw"))
    assert not chosen(images, Storage(None, 1))
    assert not compressing(storage(images), Folder(images), [(View(32, 32), NAMES)]).how.jpeg  # nothing to gain
    monkeypatch.setattr(module, "free_bytes", lambda _: 100 * raw)
    assert chosen(images, storage(images, format="jpeg"))


def test_what_is_cached_stays_in_its_format(images, monkeypatch):
    files(images, JPEG)
    assert chosen(images, storage(images))  # although the disk has room
    (images / NAMES[0]).unlink()
    assert not chosen(images, storage(images))
    Image.new("RGB", (SIZE, SIZE), (9, 99, 200)).save(images / NAMES[0])
    files(images, RAW)
    monkeypatch.setattr(module, "free_bytes", lambda _: 0)
    assert not chosen(images, storage(images))


def test_who_joins_while_pixels_are_written_decides_as_who_began(images, monkeypatch):
    raw = len(NAMES) * SIZE * SIZE * 3
    kept = storage(images)
    monkeypatch.setattr(module, "free_bytes", lambda _: 2 * raw)
    assert not chosen(images, kept)
    scan(Folder(images), NAMES[: len(NAMES) // 2], kept, VIEW)
    monkeypatch.setattr(module, "free_bytes", lambda _: 2 * raw - raw // 2)
    assert not chosen(images, storage(images))


def test_a_small_image_is_not_expected_to_gain():
    assert expected_bytes(32 * 32 * 3) == 32 * 32 * 3
    assert expected_bytes(256 * 256 * 3) < 256 * 256 * 3 / 3


def test_the_option_forces_a_format_and_a_note_says_what_was_chosen(tmp_path, monkeypatch):
    table = draw_table(tmp_path, train=4, test=4)
    options = {**OPTIONS, "size": SIZE, "image_cache": str(tmp_path / "cache")}
    forced = data.load(str(table), "test", **options, cache_format="jpeg")
    assert not any("JPEG" in note for note in forced.notes)
    options["image_cache"] = str(tmp_path / "other")
    monkeypatch.setattr(module, "free_bytes", lambda _: 10_000_000 // 40)
    found = data.load(str(table), "test", **options)
    assert any("cached as JPEG (quality 95)" in note and "--cache-format raw" in note for note in found.notes)
    assert found.digest() == forced.digest()
    assert data.load(str(table), "test", **options, cache_format="raw").digest() != found.digest()
    with pytest.raises(UsageError, match="--cache-format jpeg needs the image cache"):
        data.load(str(table), "test", **options, cache_format="jpeg", cache=False)


def test_a_full_disk_names_the_space_that_jpeg_needs(images, monkeypatch):
    monkeypatch.setattr("fairdistill.data.images.compressing.free_bytes", lambda _: 1000)
    with pytest.raises(DataError, match=r"would take 0 MiB, but .* has 0 MiB free"):
        files(images, JPEG)
