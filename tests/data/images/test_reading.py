"""Rows of image files, and readers of them with a cache, on the fly and in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill.data import Recipe
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images import reading as images
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.reading import ImageFiles, InMemory, Storage, scan, why_broken
from fairdistill.data.images.sources import Folder
from fairdistill.data.images.view import View
from fairdistill.errors import DataError
from tests.data.making import dataset

NAMES = ["0.png", "1.png", "2.png", "3.jpg", "4.jpg"]
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    for at, name in enumerate(NAMES):
        Image.fromarray(draw.integers(0, 256, (30 + at, 20, 3), dtype=np.uint8)).save(tmp_path / "faces" / name)
    return tmp_path / "faces"


def files(folder: Path, *, cached: bool = True, names: list[str] = NAMES) -> ImageFiles:
    storage = Storage(folder.parent / "cache" if cached else None, 2)
    found = scan(Folder(folder), names, storage, View(8, 6))
    return ImageFiles(Folder(folder), np.array(names, object), storage, found.digests, found.facts)


def test_files_are_indexed_as_the_rows_of_a_tensor(folder):
    whole = files(folder)
    part = whole[torch.tensor([4, 0, 4])][torch.tensor([1, 2])]
    assert (len(whole), len(part)) == (5, 2)
    assert part.names.tolist() == ["0.png", "4.jpg"]
    assert (part.digests == whole.digests[[0, 4]]).all()
    assert len(whole[torch.tensor([], dtype=torch.int64)]) == 0


def test_the_digest_follows_contents_and_their_order(folder):
    whole = files(folder)
    assert whole.digest() == files(folder, cached=False).digest()
    assert whole[torch.tensor([1, 0])].digest() != whole[torch.tensor([0, 1])].digest()


@pytest.mark.parametrize("size", [(8, 6), (17, 40), (30, 20)])
def test_a_cache_gives_what_is_decoded_on_the_fly(folder, size):
    rows = torch.tensor([3, 3, 0, 4])
    kept, fresh = (files(folder, cached=cached).reader(View(*size)).take(rows) for cached in (True, False))
    assert kept.shape == (4, 3, *size)
    assert kept.dtype == fresh.dtype == torch.uint8
    assert torch.equal(kept, fresh)
    assert torch.equal(kept[2], files(folder).one(0, View(*size)))
    assert torch.equal(kept[2], files(folder)[torch.tensor([2, 0])].reader(View(*size)).take(torch.tensor([1]))[0])


@pytest.mark.parametrize("cached", [True, False])
def test_no_rows_are_no_images(folder, cached):
    nothing = torch.tensor([], dtype=torch.int64)
    assert files(folder, cached=cached).reader(View(4, 5)).take(nothing).shape == (0, 3, 4, 5)
    assert files(folder, cached=cached)[nothing].reader(View(4, 7)).take(nothing).shape == (0, 3, 4, 7)


@pytest.mark.parametrize("crop", ["random", "resized"])
def test_training_batches_are_the_same_with_and_without_a_cache(folder, crop):
    recipe = Recipe(size=6, stored=(9, 8), crop=crop, flip=True)
    made = dataset([0, 1, 0, 1, 0], [0, 1, 1, 0, 1], recipe=recipe)
    kept, fresh = (
        Pipeline(replace(made, images=files(folder, cached=cached)), device=CPU, seed=0) for cached in (True, False)
    )
    for step in range(3):
        rows = torch.tensor([1, 4, 0, 1])
        one, other = kept.train_batch(rows, step=step), fresh.train_batch(rows, step=step)
        assert torch.equal(one.images, other.images)
        assert torch.equal(kept.images(rows, one.draws), one.images)
    assert torch.equal(kept.batch(rows).images, fresh.batch(rows).images)


def test_the_size_of_a_cache_is_said_before_it_is_built_and_only_then(folder, capsys, monkeypatch):
    said, real = [], images.ImageCache.fill

    def fill(self, names, report):
        said.append(capsys.readouterr().err)
        real(self, names, report)

    monkeypatch.setattr(images.ImageCache, "fill", fill)
    for _ in range(2):
        files(folder).reader(View(700, 500))
    assert [each.partition(" of ")[0] for each in said] == ["decoding 5 images", "decoding 5 images", "", ""]
    assert said[1].startswith(f"decoding 5 images of {folder} to 500x700, once: 5 MiB in {folder.parent / 'cache'}")
    assert capsys.readouterr().err == ""


def test_of_the_processes_of_a_machine_one_speaks_and_each_has_its_part_of_the_processors(folder, capsys, monkeypatch):
    monkeypatch.setattr("fairdistill.data.file_options.processors", lambda: 12)
    assert FileOptions().storage.workers == 12
    here = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "LOCAL_RANK": "1", "RANK": "5"}
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    assert FileOptions().storage.workers == 3
    assert FileOptions(workers=7).storage.workers == 7
    files(folder)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("LOCAL_RANK", "0")
    files(folder, names=NAMES[:2])  # nothing is left to decode
    (folder.parent / "cache").rename(folder.parent / "former")
    files(folder)
    assert "decoding 5 images" in capsys.readouterr().err


def test_every_reason_why_a_file_is_broken_is_told(folder, monkeypatch):
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("no image")
    (folder / "folder.png").mkdir()
    source = Folder(folder)
    assert why_broken(source, "empty.png", Decoding()) == "the file is empty (0 bytes)"
    assert why_broken(source, "text.png", Decoding()).startswith("it is not an image, or has an unknown format")
    assert why_broken(source, "none.png", Decoding()) == "there is no such file"
    assert why_broken(source, "folder.png", Decoding()) == "it cannot be read: Is a directory"
    assert "but now it can; start again" in why_broken(source, "0.png", Decoding())


def test_a_damaged_image_that_cannot_be_decoded_again_is_named(folder):
    files(folder)
    path = next((folder.parent / "cache").glob("*/pixels.bin"))
    path.write_bytes(bytes(path.stat().st_size))
    reader = files(folder).reader(View(8, 6))
    (folder / "2.png").unlink()
    with pytest.raises(DataError, match=r"2\.png changed while it was in use and cannot be decoded now"):
        reader.take(torch.tensor([0, 2]))


def test_images_in_memory_are_given_as_they_are_or_resized_as_pillow_does():
    pixels = torch.randint(0, 256, (4, 3, 12, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([3, 0])
    assert torch.equal(InMemory(pixels, view=View(12, 10), device=CPU).take(rows), pixels[rows])
    resized = InMemory(pixels, view=View(5, 7), device=CPU).take(rows)
    for image, row in zip(resized, rows.tolist(), strict=True):
        picture = Image.fromarray(pixels[row].permute(1, 2, 0).numpy()).resize((7, 5), Image.Resampling.BILINEAR)
        assert abs(image.permute(1, 2, 0).numpy().astype(int) - np.asarray(picture).astype(int)).max() <= 1


def test_splits_of_one_load_share_what_was_decoded_and_checked(folder, monkeypatch):
    whole = files(folder)
    looked = []
    real = Folder.signature
    monkeypatch.setattr(Folder, "signature", lambda source, name: looked.append(name) or real(source, name))
    readers = [whole[torch.tensor(rows)].reader(View(8, 6)) for rows in ([0, 1], [2, 3, 4])]
    assert looked == []
    assert readers[0]._cache is readers[1]._cache
    assert torch.equal(readers[1].take(torch.tensor([2]))[0], files(folder, cached=False).one(4, View(8, 6)))
    whole[torch.tensor([0])].reader(View(9, 9))
    assert set(looked) == {"0.png"}


@pytest.mark.parametrize("cached", [True, False])
def test_a_file_that_many_rows_name_is_read_once(folder, cached, monkeypatch):
    read: list[str] = []
    own = Folder.read
    monkeypatch.setattr(Folder, "read", lambda self, name: read.append(name) or own(self, name))
    names = [*NAMES, *reversed(NAMES), NAMES[2]]
    found = files(folder, cached=cached, names=names)
    assert sorted(read) == sorted(NAMES)
    alone = files(folder, cached=cached)
    assert found.digests.tolist() == [alone.digests.tolist()[NAMES.index(name)] for name in names]
