from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairdistill import data
from fairdistill.data.own.class_labels import class_labels
from fairdistill.data.own.parquet_images import ParquetImages, embedded_images
from fairdistill.errors import DataError
from tests.data.own.making import GROUPS, LABELS, OPTIONS, ROWS, features, pixels, png, write_images

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})
IMAGE = {"image": {"_type": "Image"}}
LABEL = {"label": {"names": ["oak", "elm", "ash"], "_type": "ClassLabel"}}


def write(path: Path, images: pa.Array, *, labels: list[object] | None = None, rows: int = 5, **kinds: object) -> Path:
    table = pa.table({"image": images, "label": LABELS if labels is None else labels, "group": GROUPS})
    pq.write_table(table.replace_schema_metadata(features(**kinds)), path, row_group_size=rows)
    return path


def structs(paths: list[str | None], *, embedded: bool = True) -> pa.Array:
    return pa.array([{"bytes": png(i) if embedded else None, "path": p} for i, p in enumerate(paths)], STRUCT)


PATHS = [f"{row}.png" for row in range(len(ROWS))]
FORMS = [
    (structs(PATHS), "7.png"), (structs([None] * len(ROWS)), "row 8"), (structs(["same.png"] * len(ROWS)), "row 8"),
    (pa.array([png(row) for row in range(len(ROWS))], pa.binary()), "row 8"),
    (pa.array([png(row) for row in range(len(ROWS))], pa.large_binary()), "row 8"),
]  # fmt: skip


@pytest.mark.parametrize(("images", "name"), FORMS)
@pytest.mark.parametrize("rows", [5, 1000])
@pytest.mark.parametrize("cache", [True, False])
def test_images_are_read_from_a_column(tmp_path, images, name, rows, cache):
    table = write(tmp_path / "t.parquet", images, rows=rows)
    parts = data.load_splits(str(table), image_cache=str(tmp_path / "cache"), cache=cache, **OPTIONS)
    whole = {part.ids[row]: part[row][0] for part in parts.values() for row in range(len(part))}
    assert len(whole) == len(ROWS)
    assert (whole[name].permute(1, 2, 0).numpy() == pixels(7)).all()


def test_class_names_and_their_order_are_those_that_are_stored(tmp_path):
    codes = [["oak", "elm", "ash"].index(label) for label in LABELS]
    table = write(tmp_path / "t.parquet", structs(PATHS), labels=codes, **IMAGE, **LABEL)
    test = data.load(str(table), "test", cache=False, **OPTIONS)
    assert test.class_names == ("oak", "ash")
    assert "the classes and their order are those stored in the file: oak, ash" in test.notes
    assert data.load(str(table), "test", cache=False, classes="ash,oak", **OPTIONS).class_names == ("ash", "oak")
    missing = write(tmp_path / "m.parquet", structs(PATHS), labels=[-1, *codes[1:]], **IMAGE, **LABEL)
    with pytest.raises(DataError, match="column 'label' is empty"):
        data.load(str(missing), "test", cache=False, **OPTIONS)


def test_metadata_of_another_kind_name_no_classes(tmp_path):
    table = write(tmp_path / "t.parquet", structs(PATHS), label=["oak"], image={"_type": "Image"})
    assert class_labels(table) == {}
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"huggingface": "no JSON"}), tmp_path / "n.parquet")
    assert class_labels(tmp_path / "n.parquet") == {}


def test_paths_without_bytes_are_paths(tmp_path):
    write_images(tmp_path, PATHS)
    table = write(tmp_path / "t.parquet", structs(PATHS, embedded=False))
    names, source = embedded_images(table, "image")
    assert (names.tolist(), source) == (PATHS, None)
    assert len(data.load(str(table), "train", cache=False, **OPTIONS)) == 20


def test_a_column_of_text_holds_no_images(tmp_path):
    assert embedded_images(write(tmp_path / "t.parquet", pa.array(PATHS)), "image") is None


def test_a_row_without_an_image_is_named(tmp_path):
    images = [{"bytes": png(row) if row != 3 else None, "path": None} for row in range(len(ROWS))]
    table = write(tmp_path / "t.parquet", pa.array(images, STRUCT))
    with pytest.raises(DataError, match="row 4: the row holds no image"):
        data.load(str(table), "test", cache=False, **OPTIONS)
    part = data.load(str(table), "train", cache=False, skip_broken=True, **OPTIONS)
    assert part.skipped == (("row 4", "the row holds no image"),)


@pytest.mark.parametrize("rows", [4, 7, 100])
def test_rows_are_read_in_any_order(tmp_path, rows):
    count = 100
    names = np.array([str(row) for row in range(count)], object)
    table = pa.table({"image": pa.array([str(row).encode() for row in range(count)], pa.binary())})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=rows)
    images = ParquetImages(tmp_path / "t.parquet", "image", "image", names)
    order = [0, 99, 3, 3, 50, *np.random.default_rng(0).permutation(count).tolist(), *range(count)]
    assert [images.read(str(row)) for row in order] == [str(row).encode() for row in order]
    with pytest.raises(DataError, match="there is no such row"):
        images.read("100")


def test_a_file_that_changed_is_read_again(tmp_path):
    options = {"image_cache": str(tmp_path / "cache"), **OPTIONS}
    table = write(tmp_path / "t.parquet", structs(PATHS))
    before = data.load(str(table), "test", **options)
    write(table, pa.array([{"bytes": png(row + 50), "path": f"{row}.png"} for row in range(len(ROWS))], STRUCT), rows=9)
    after = data.load(str(table), "test", **options)
    assert before.source_ids != after.source_ids
