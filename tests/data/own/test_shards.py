from __future__ import annotations

from pathlib import Path

import pytest

from fairdistill import data
from fairdistill.data.own.shards import shards
from fairdistill.errors import DataError
from tests.data.own.making import GROUPS, LABELS, OPTIONS, ROWS, features, pixels, png

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})
CODES = [["oak", "ash"].index(label) for label in LABELS]
FILES = {
    "train-00000-of-00002.parquet": range(6), "train-00001-of-00002.parquet": range(6, 12),
    "validation-00000-of-00001.parquet": range(12, 16), "test-00000-of-00001.parquet": range(16, 24),
}  # fmt: skip


def write(folder: Path, *, paths: bool = True, **replaced: pa.Array) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, rows in FILES.items():
        images = [{"bytes": png(row), "path": f"{row}.png" if paths else "same.png"} for row in rows]
        table = pa.table(
            {
                "image": replaced.get(file.partition("-")[0], pa.array(images, STRUCT)),
                "label": [CODES[row] for row in rows],
                "group": [GROUPS[row] for row in rows],
            }
        )
        label = {"names": ["oak", "ash"], "_type": "ClassLabel"}
        pq.write_table(table.replace_schema_metadata(features(label=label, image={"_type": "Image"})), folder / file)


@pytest.mark.parametrize("inner", ["", "data"])
@pytest.mark.parametrize("paths", [True, False])
def test_the_names_of_files_say_their_splits(tmp_path, inner, paths):
    write(tmp_path / inner, paths=paths)
    parts = data.load_splits(str(tmp_path), image_cache=str(tmp_path / "cache"), **OPTIONS)
    assert {split: len(part) for split, part in parts.items()} == {"train": 12, "val": 4, "test": 8}
    assert parts["test"].class_names == ("oak", "ash")
    for split, first in (("train", 0), ("val", 12), ("test", 16)):
        for at in range(len(parts[split])):
            image, label, _, _ = parts[split][at]
            assert (image.permute(1, 2, 0).numpy() == pixels(first + at)).all()
            assert label == CODES[first + at]
    assert parts["test"].ids[0] == ("16.png" if paths else "test-00000-of-00001.parquet: row 1")
    assert len(ROWS) == 24


def test_a_folder_with_another_parquet_file_is_not_one_of_splits(tmp_path):
    write(tmp_path)
    assert len(shards(tmp_path)) == 4
    pq.write_table(pa.table({"a": [1]}), tmp_path / "predictions.parquet")
    assert shards(tmp_path) == ()


def test_faults_are_named_with_their_file(tmp_path):
    write(tmp_path, validation=pa.array([f"{row}.png" for row in range(12, 16)]))
    with pytest.raises(DataError, match="only some of its Parquet files hold images in the column 'image'"):
        data.load(str(tmp_path), "test", cache=False, **OPTIONS)
    write(tmp_path)
    CODES[14] = -1
    try:
        write(tmp_path)
    finally:
        CODES[14] = CODES[10]
    with pytest.raises(DataError, match=r"validation-00000-of-00001\.parquet, row 3: column 'label' is empty"):
        data.load(str(tmp_path), "test", cache=False, **OPTIONS)


@pytest.mark.parametrize("paths", [True, False])
def test_numbered_files_are_in_the_folder_of_their_split(tmp_path, paths):
    write(tmp_path / "flat", paths=paths)
    for file in FILES:
        folder = tmp_path / "deep" / file.partition("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "flat" / file).rename(folder / f"{int(file.split('-')[1]):04}.parquet")
    (tmp_path / "deep" / "train" / "notes.parquet").write_bytes(b"not read")
    parts = data.load_splits(str(tmp_path / "deep"), cache=False, **OPTIONS)
    assert {split: len(part) for split, part in parts.items()} == {"train": 12, "val": 4, "test": 8}
    assert parts["test"].class_names == ("oak", "ash")
    for split, first in (("train", 0), ("val", 12), ("test", 16)):
        assert (parts[split][0][0].permute(1, 2, 0).numpy() == pixels(first)).all()
