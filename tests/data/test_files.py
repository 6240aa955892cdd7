from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill.data import Recipe
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.data.files import Origin, load_rows, without_duplicates
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.reading import Storage
from fairdistill.data.images.sources import Folder
from fairdistill.data.rows import NO_SPLIT, Rows
from fairdistill.errors import DataError

SPLIT = {"train": 0, "val": 1, "test": 2}


def draw(folder: Path, name: str, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise).save(folder / name)


def rows_of(folder: Path, said: list[tuple[str, int, int, str]], *, classes: int = 2, groups: int = 2) -> Rows:
    """Draw each file that is not there and say its class, group and split."""
    for seed, (name, *_) in enumerate(said):
        if not (folder / name).exists():
            draw(folder, name, seed)
    names, labels, group_codes, splits = zip(*said, strict=True)
    return Rows(
        names=np.array(names, object),
        labels=np.array(labels, np.int64),
        groups=np.array(group_codes, np.int64),
        splits=np.array([SPLIT.get(split, NO_SPLIT) for split in splits], np.int64),
        class_names=tuple("abc"[:classes]),
        group_names=tuple("xyz"[:groups]),
    )


SAID = [
    ("0.png", 0, 0, "train"), ("1.png", 0, 1, "train"), ("2.png", 1, 0, "train"), ("3.png", 1, 1, "train"),
    ("4.png", 0, 0, "test"), ("5.png", 1, 1, "test"),
]  # fmt: skip


def load(folder: Path, rows: Rows, wanted=("train", "val", "test"), **options: Any):
    split = {name: options.pop(name) for name in ("test_share", "split_seed") if name in options}
    given = {"recipe": Recipe(size=8), "storage": Storage(folder / "cache", 1), **options}
    return load_rows(rows, wanted, Origin(name="made", source=Folder(folder), **given), **split)


def test_rows_become_the_splits_they_say(tmp_path):
    parts = load(tmp_path, rows_of(tmp_path, SAID))
    assert {split: part.ids for split, part in parts.items()} == {
        "train": ("0.png", "1.png", "2.png", "3.png"),
        "test": ("4.png", "5.png"),
    }
    assert parts["train"].name == "made/train"
    image, label, group, index = parts["test"][1]
    assert (label, group, index) == (1, 1, 1)
    assert (image.permute(1, 2, 0).numpy() == np.asarray(Image.open(tmp_path / "5.png"))).all()
    assert list(load(tmp_path, rows_of(tmp_path, SAID), wanted=["test"])) == ["test"]


def breakages(folder: Path) -> None:
    (folder / "1.png").write_bytes(b"")
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:60])
    (folder / "3.png").write_text("no image at all")
    (folder / "5.png").unlink()


@pytest.mark.parametrize("cached", [True, False])
def test_broken_images_are_an_error_that_names_them_and_the_way_out(tmp_path, cached):
    rows = rows_of(tmp_path, SAID)
    breakages(tmp_path)
    with pytest.raises(DataError) as e:
        load(tmp_path, rows, storage=Storage(tmp_path / "cache" if cached else None, 1))
    text = str(e.value)
    for part in (
        "4 of 6 images",
        "1.png: the file is empty",
        "3.png: it is not an image",
        "5.png: there is no such file",
    ):
        assert part in text
    assert "2.png: it cannot be decoded" in text
    assert "--skip-broken" in text


@pytest.mark.parametrize("cached", [True, False])
def test_broken_images_are_left_out_counted_and_listed_where_that_is_asked_for(tmp_path, cached):
    said = [
        *SAID,
        ("6.png", 0, 1, "train"),
        ("7.png", 1, 0, "train"),
        ("8.png", 1, 1, "train"),
        ("9.png", 1, 1, "test"),
    ]
    rows = rows_of(tmp_path, said)
    breakages(tmp_path)
    storage = Storage(tmp_path / "cache" if cached else None, 1)
    parts = load(tmp_path, rows, storage=storage, skip_broken=True)
    assert parts["train"].ids == ("0.png", "6.png", "7.png", "8.png")
    assert parts["test"].ids == ("4.png", "9.png")
    assert [name for name, _ in parts["train"].skipped] == ["1.png", "2.png", "3.png", "5.png"]
    assert all(reason for _, reason in parts["train"].skipped)


def copied(folder: Path, said: list[tuple[str, int, int, str]], copies: dict[str, str]) -> Rows:
    rows = rows_of(folder, said)
    for copy, original in copies.items():
        (folder / copy).write_bytes((folder / original).read_bytes())
    return rows


def test_duplicates_are_counted_share_a_source_and_do_not_cross_splits(tmp_path):
    rows = copied(tmp_path, SAID, {"4.png": "0.png", "2.png": "1.png"})
    parts = load(tmp_path, rows)
    train, test = parts["train"], parts["test"]
    assert test.source_ids[0] == train.source_ids[0]
    assert train.source_ids[1] == train.source_ids[2] != train.source_ids[0]
    notes = train.notes
    assert notes[0] == "2 rows have the same image as another row, byte for byte"
    assert "1 row has the same image as a row of another split (for example 4.png and 0.png)" in notes
    assert "1 row has the same image as an earlier row but another class (for example 2.png and 1.png)" in notes
    assert "1 row has the same image as an earlier row but another group (for example 2.png and 1.png)" in notes
    left = without_duplicates(train, test)
    assert left.ids == ("1.png", "2.png", "3.png")
    assert left.notes[-1] == "1 row was removed from made/train because the same image or source is also in made/test"
    assert without_duplicates(left, test) is left


def test_rows_without_a_split_are_cut_and_no_picture_is_parted(tmp_path):
    said = [(f"{n}.png", n % 2, n // 2 % 2, "") for n in range(40)]
    rows = copied(tmp_path, said, {f"{n + 4}.png": f"{n}.png" for n in range(0, 40, 8)})
    parts = load(tmp_path, rows, test_share=0.25)
    assert set(parts) == {"train", "test"}
    assert not set(parts["train"].source_ids) & set(parts["test"].source_ids)
    assert len(parts["test"]) + len(parts["train"]) == 40
    assert (parts["test"].cell_counts() >= 1).all()


def test_a_file_that_is_listed_twice_has_two_ids(tmp_path):
    parts = load(tmp_path, rows_of(tmp_path, [*SAID, ("0.png", 0, 0, "train")]))
    assert parts["train"].ids[-1] == "0.png#2"


@pytest.mark.parametrize("names", [["a", "a#2", "a"], ["a", "a", "a#2"], ["a#2", "a", "a#2", "a", "a"]])
def test_ids_are_unique_though_a_file_is_named_like_a_second_one(tmp_path, names):
    draw(tmp_path, "x.png", 0)
    for name in set(names):
        (tmp_path / name).write_bytes((tmp_path / "x.png").read_bytes())
    # Two classes and two groups take four rows; the pictures of those that are added have names of their own.
    others = [(f"{at}.png", at % 2, at // 2 % 2, "train") for at in range(4)]
    ids = load(tmp_path, rows_of(tmp_path, [*others, *((name, 0, 0, "train") for name in names)]))["train"].ids[4:]
    assert len(set(ids)) == len(ids)
    assert {name: ids[names.index(name)] for name in names} == {name: name for name in names}


def test_too_few_pictures_for_a_test_set_are_an_error(tmp_path):
    rows = rows_of(tmp_path, [(f"{n}.png", n % 2, n // 2, "") for n in range(4)])
    with pytest.raises(DataError, match=r"no subgroup has a second image to put in a test set; add images"):
        load(tmp_path, rows)


def test_where_a_copy_is_the_second_picture_the_error_says_that_it_does_not_count(tmp_path):
    rows = [(f"{n}.png", n % 2, n // 2, "") for n in range(4)]
    copied = [(f"copy-{n}.png", n % 2, n // 2, "") for n in range(4)]
    whole = rows_of(tmp_path, [*rows, *copied])
    for n in range(4):
        (tmp_path / f"copy-{n}.png").write_bytes((tmp_path / f"{n}.png").read_bytes())
    with pytest.raises(DataError, match="to put in a test set; files with the same bytes count as one; add images"):
        load(tmp_path, whole)


def test_the_digest_follows_contents_and_not_times(tmp_path):
    rows = rows_of(tmp_path, SAID)
    first = load(tmp_path, rows)["train"].digest()
    (tmp_path / "0.png").touch()
    assert load(tmp_path, rows)["train"].digest() == first
    draw(tmp_path, "0.png", 99)
    assert load(tmp_path, rows)["train"].digest() != first


def change(rows: Rows, **fields: Any) -> Rows:
    return Rows(**{**rows.__dict__, **fields})


def test_what_cannot_be_compared_is_an_error(tmp_path):
    rows = rows_of(tmp_path, SAID)
    with pytest.raises(DataError, match="at least two classes, but found only 'a'"):
        load(tmp_path, change(rows, class_names=("a",), labels=rows.labels * 0))
    with pytest.raises(DataError, match="at least two groups, but found none"):
        load(tmp_path, change(rows, group_names=(), groups=rows.groups * 0 - 1))
    with pytest.raises(DataError, match="no images are left"):
        load(tmp_path, rows.take(np.zeros(6, bool)))


def test_a_class_without_training_rows_is_named(tmp_path):
    rows = rows_of(tmp_path, [*SAID, ("6.png", 2, 0, "test")], classes=3)
    with pytest.raises(DataError, match=r"the class 'c' of 6\.png \(test\) has no training image; correct"):
        load(tmp_path, rows)
    rows = rows_of(tmp_path, [*SAID, ("6.png", 2, 0, "test"), ("7.png", 2, 1, "test")], classes=3)
    with pytest.raises(DataError, match="has no training image, and the same is true of 1 more test row; correct"):
        load(tmp_path, rows)
    with pytest.raises(DataError, match=r"'B ' of .* has no training image \(but 'b' has some\)"):
        load(tmp_path, change(rows, class_names=("a", "b", "B ")))


@pytest.mark.parametrize("skip_broken", [False, True])
def test_if_no_image_can_be_read_the_paths_are_in_doubt(tmp_path, skip_broken):
    rows = rows_of(tmp_path, SAID)
    for name in rows.names:
        (tmp_path / name).unlink()
    with pytest.raises(
        DataError,
        match=r"made: 6 of 6 images cannot be read: 0\.png: .*; and 1 more\. Check the files and their folder \(",
    ):
        load(tmp_path, rows, skip_broken=skip_broken)


def deepened(folder: Path, highest: dict[str, int]) -> None:
    """Write files of 16 bits a channel with the same picture at several exposures."""
    for name, high in highest.items():
        values = np.linspace(0, high, 64).reshape(8, 8).astype(np.uint16)
        Image.fromarray(values).save(folder / name)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("crop", ["none", "random"])
def test_deep_images_are_all_scaled_by_the_widest_range_among_them(tmp_path, cached, crop):
    rows = rows_of(tmp_path, SAID)
    deepened(tmp_path, {"0.png": 900, "1.png": 4095, "5.png": 3000})  # by themselves: 10, 12 and 12 bits
    storage = Storage(tmp_path / "cache" if cached else None, 1)
    recipe = Recipe(size=8, crop=crop, stored=(8, 8) if crop == "none" else (9, 9))
    parts = load(tmp_path, rows, storage=storage, recipe=recipe)
    assert parts["train"][0][0].max() == 900 >> 4
    assert parts["train"][1][0].max() == 255
    assert parts["test"][1][0].max() == 3000 >> 4
    assert any("3 images store more than 8 bits a channel" in note for note in parts["test"].notes)
    (taken,) = Pipeline(parts["train"], device=torch.device("cpu"), seed=0).batch(torch.tensor([0])).images
    assert round(float(taken.max()) * 255) == 900 >> 4


def test_a_stated_range_is_that_of_all_images(tmp_path):
    rows = rows_of(tmp_path, SAID)
    deepened(tmp_path, {"0.png": 900, "1.png": 4095})
    stated = Decoding(depth=Depth(whole=16))
    parts = load(tmp_path, rows, storage=Storage(tmp_path / "cache", 1, stated))
    assert parts["train"][1][0].max() == 4095 >> 8
    assert parts["train"].digest() != load(tmp_path, rows)["train"].digest()


def test_constant_and_turned_images_are_noticed(tmp_path):
    rows = rows_of(tmp_path, SAID)
    Image.new("RGB", (8, 8), (3, 200, 90)).save(tmp_path / "2.png")
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.asarray(Image.open(tmp_path / "3.png"))).save(tmp_path / "3.png", exif=exif)
    notes = load(tmp_path, rows)["train"].notes
    assert "1 image is a single color: 2.png" in notes
    assert any(note.startswith("1 image has an EXIF orientation other than upright (3.png)") for note in notes)
    again = load(tmp_path, rows, storage=Storage(tmp_path / "cache", 1))["train"]
    assert again.notes == notes  # known from the cache
    before = again[3][0]
    turned = load(tmp_path, rows, storage=Storage(tmp_path / "cache", 1, Decoding(exif=True)))["train"][3][0]
    assert torch.equal(turned, before.rot90(1, (1, 2)))
