from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image

from fairdistill import data
from fairdistill.data.own.folder import load, read_rows
from fairdistill.data.own.options import FolderOptions
from fairdistill.errors import DataError, UsageError


def make(root: Path, names: list[str]) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 6), (len(name) * 7 % 256, zlib.crc32(os.fsencode(name)) % 256, 9)).save(root / name)
    return root


GROUPED = ["cat/x/1.png", "cat/y/2.png", "dog/x/10.png", "dog/x/9.png", "dog/y/3.jpg"]


def test_folders_are_classes_and_folders_in_them_groups(tmp_path):
    rows = read_rows(make(tmp_path, GROUPED), FolderOptions())
    assert rows.names.tolist() == ["cat/x/1.png", "cat/y/2.png", "dog/x/9.png", "dog/x/10.png", "dog/y/3.jpg"]
    assert (rows.class_names, rows.group_names) == (("cat", "dog"), ("x", "y"))
    assert (rows.labels.tolist(), rows.groups.tolist()) == ([0, 0, 1, 1, 1], [0, 1, 0, 0, 1])
    assert (rows.splits == -1).all()


def test_split_folders_are_found_and_mapped(tmp_path):
    names = [f"{split}/{name}" for split in ("train", "holdout") for name in GROUPED]
    make(tmp_path, names)
    with pytest.raises(DataError, match=r"split folders \(train\) and also 'holdout'.*--split-map holdout=test"):
        read_rows(tmp_path, FolderOptions())
    rows = read_rows(tmp_path, FolderOptions(split_map={"holdout": "test"}))
    assert sorted(rows.splits.tolist()) == [0] * 5 + [2] * 5
    assert rows.class_names == ("cat", "dog")
    with pytest.raises(UsageError, match="--split-map dev=test"):
        read_rows(tmp_path, FolderOptions(split_map={"dev": "test"}))


def test_usual_words_of_split_folders_are_read(tmp_path):
    make(tmp_path, [f"{split}/{name}" for split in ("Train", "valid", "TEST") for name in GROUPED])
    rows = read_rows(tmp_path, FolderOptions())
    assert (sorted(rows.splits.tolist()), rows.class_names) == ([0] * 5 + [1] * 5 + [2] * 5, ("cat", "dog"))
    assert read_rows(tmp_path, FolderOptions(split_map={"valid": "test"})).splits.tolist().count(2) == 10


def test_a_table_gives_the_groups_of_those_it_names(tmp_path):
    make(tmp_path, ["cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png"])
    table = tmp_path / "groups.csv"
    table.write_text("file,race,sex\ncat/1.png,A,m\ncat/2.png,B,f\ndog/3.png,A,m\n")
    options = {"group_table": str(table), "image": "file", "group": "race,sex"}
    rows = read_rows(tmp_path, FolderOptions(**options))
    assert rows.group_names == ("A, m", "B, f")
    assert rows.groups.tolist() == [0, 1, 0, -1]
    assert rows.notes == ("1 file was ignored because of the extension (1 .csv)",)
    table.write_text("file,race\nbird/1.png,A\n")
    with pytest.raises(DataError, match=r"names 'bird/1\.png', which is not in"):
        read_rows(tmp_path, FolderOptions(**{**options, "group": "race"}))
    table.write_text("file,race\n4.png,A\n3.png,B\n")
    with pytest.raises(DataError, match=r"names '3\.png' \(perhaps dog/3\.png\) and 1 more image, which are not in"):
        read_rows(tmp_path, FolderOptions(**{**options, "group": "race"}))


def test_hidden_files_are_not_read(tmp_path):
    make(tmp_path, [*GROUPED, ".cache/x/1.png"])
    (tmp_path / "cat/x/.DS_Store").write_bytes(b"")
    rows = read_rows(tmp_path, FolderOptions())
    assert len(rows.names) == 5
    assert rows.notes == ()


def test_classes_are_ordered_as_a_models_outputs(tmp_path):
    rows = read_rows(make(tmp_path, GROUPED), FolderOptions(classes="dog,cat"))
    assert rows.class_names == ("dog", "cat")
    assert rows.labels.tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "holds no images"),
        (["1.png"], r"1\.png is not in a class folder"),
        (["cat/1.png", "dog/2.png"], r"cat/1\.png is not in a group folder .*--group-table"),
        (["cat/x/1.png", "dog/2.png"], r"dog/2\.png is not in a group folder"),
    ],
)
def test_a_structure_that_says_too_little_is_an_error(tmp_path, names, text):
    with pytest.raises(DataError, match=text):
        read_rows(make(tmp_path, names), FolderOptions())


def test_a_folder_is_a_data_set(tmp_path):
    names = [f"{label}/{group}/{n}.png" for label in ("cat", "dog") for group in ("x", "y") for n in range(5)]
    make(tmp_path / "mine", names)
    parts = data.load_splits(str(tmp_path / "mine"), size=6, image_cache=str(tmp_path / "cache"))
    assert {split: len(part) for split, part in parts.items()} == {"train": 16, "test": 4}


def test_an_image_that_a_table_gives_two_groups_is_named_with_both(tmp_path):
    make(tmp_path, ["cat/1.png", "dog/3.png"])
    table = tmp_path / "groups.csv"
    table.write_text("image,group\ncat/1.png,A\ndog/3.png,B\ncat/1.png,A\n")
    read_rows(tmp_path, FolderOptions(group_table=str(table)))
    table.write_text("image,group\ncat/1.png,A\ndog/3.png,B\ncat/1.png,B\n")
    with pytest.raises(DataError, match=r"groups\.csv, row 4: cat/1\.png has group 'B' here but 'A' above"):
        read_rows(tmp_path, FolderOptions(group_table=str(table)))


def test_options_that_would_do_nothing_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--group applies only to --group-table"):
        FolderOptions(group="race")
    make(tmp_path, GROUPED)
    with pytest.raises(UsageError, match=r"--root /x: .* is a folder of images"):
        load(["train"], tmp_path, Path("/x"), FolderOptions())


TREE = ["oak/x/1.png", "oak/x/2.png", "oak/y/3.png", "ash/x/4.png", "ash/y/5.png"]


@pytest.mark.parametrize("loop", ["oak/x/loop", "oak/y/loop", "ash/loop"])
@pytest.mark.parametrize("target", [".", "oak", "oak/x", "..", "../.."])
def test_a_link_that_leads_back_is_not_followed(tmp_path, loop, target):
    path = make(tmp_path / "inside" / "trees", TREE)
    (path / loop).symlink_to(path / target, target_is_directory=True)
    make(tmp_path / "inside" / "other", ["oak/x/6.png"])
    rows = read_rows(path, FolderOptions())
    assert sorted(rows.names.tolist()) == sorted(TREE)
    assert rows.group_names == ("x", "y")
    assert [note for note in rows.notes if note.startswith("1 link was not followed") and loop in note]


def test_a_link_to_a_folder_elsewhere_is_followed_once(tmp_path):
    path = make(tmp_path / "trees", TREE[1:])
    make(tmp_path / "elsewhere", ["z/6.png", "z/7.png"])
    for link in ("oak/z", "ash/z"):
        (path / link).symlink_to(tmp_path / "elsewhere/z", target_is_directory=True)
    rows = read_rows(path, FolderOptions())
    assert sorted(rows.names.tolist()) == sorted([*TREE[1:], "ash/z/6.png", "ash/z/7.png"])
    assert [note for note in rows.notes if "not followed" in note and "(for example oak/z)" in note]


def test_a_folder_that_is_a_link_itself_is_read(tmp_path):
    path = make(tmp_path / "trees", TREE)
    (tmp_path / "link").symlink_to(path)
    assert sorted(read_rows(tmp_path / "link", FolderOptions()).names.tolist()) == sorted(TREE)


def test_a_loose_image_is_not_taken_for_a_split(tmp_path):
    make(tmp_path, [*(f"train/{name}" for name in GROUPED), "example.png"])
    with pytest.raises(DataError, match=r"example\.png is not in a class folder"):
        read_rows(tmp_path, FolderOptions())


def test_what_is_not_read_is_told_by_kind(tmp_path):
    make(tmp_path, GROUPED)
    for name in ("cat/x/a.HEIC", "cat/x/b.heic", "cat/x/c", "Thumbs.db", "bird/x/d.heic", ".hidden", "bird/._e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dog" / "z" / "inner").mkdir(parents=True)
    assert read_rows(tmp_path, FolderOptions()).notes == (
        "5 files were ignored because of the extension (3 .heic, 1 .db, 1 without any)",
        "2 folders hold no images: bird, dog/z",
    )
    for name in GROUPED:
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"holds no images \(5 files were ignored.*3 \.heic"):
        read_rows(tmp_path, FolderOptions())


def test_a_name_that_is_not_utf_8_is_an_error_that_shows_it(tmp_path):
    make(tmp_path, [*GROUPED, os.fsdecode(b"caf\xe9/x/1.png")])
    with pytest.raises(DataError, match=re.escape("holds 'caf\\xe9/x/1.png', whose name is not UTF-8; rename it")):
        read_rows(tmp_path, FolderOptions())


def test_a_link_to_itself_is_an_image_that_cannot_be_read(tmp_path):
    make(tmp_path, GROUPED)
    (tmp_path / "cat" / "x" / "itself.png").symlink_to("itself.png")
    assert "cat/x/itself.png" in read_rows(tmp_path, FolderOptions()).names


def test_a_table_beside_images_that_are_in_no_class_folder_is_named(tmp_path):
    make(tmp_path, ["train/1.png", "train/2.png"])
    (tmp_path / "labels.csv").write_text("image,label\n")
    with pytest.raises(DataError, match=r"or, if the classes are in .*labels\.csv, --data .*labels\.csv$"):
        read_rows(tmp_path, FolderOptions())
    (tmp_path / "train/_classes.csv").write_text("filename, cat, dog\n")
    with pytest.raises(DataError, match=r"if the classes are in .*train/_classes\.csv, --data .*_classes\.csv$"):
        read_rows(tmp_path, FolderOptions())
