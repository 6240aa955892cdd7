from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fairdistill import data
from fairdistill.data.own.class_labels import class_labels
from fairdistill.data.own.joined import Joined, Prefixed
from fairdistill.data.own.parquet_images import ParquetImages, embedded_images
from fairdistill.data.own.row_names import numbered
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


def many(path: Path, *, rows: int, group: int, size: int = 20_000) -> ParquetImages:
    content = np.random.default_rng(0).bytes(size)
    table = pa.table({"image": pa.array([content[: size - row % 7] for row in range(rows)], pa.binary())})
    pq.write_table(table, path, row_group_size=group, use_dictionary=False)
    return ParquetImages(path, "image", "image", numbered(rows))


@pytest.mark.parametrize("group", [50, 10_000])
def test_memory_does_not_grow_with_the_file_nor_with_its_row_groups(tmp_path, group):
    def most(rows: int) -> int:
        images = many(tmp_path / f"{rows}.parquet", rows=rows, group=group, size=5_000)
        gc.collect()  # what other tests have left
        before, found = pa.total_allocated_bytes(), []
        for row in range(rows):
            images.read(f"row {row + 1}")
            found.append(pa.total_allocated_bytes() - before)
            assert sum(len(values) for _, values in images._kept) <= 8 * 32
        return max(found)

    small, large = most(2000), most(12_000)  # 10 and 60 MB of images; a page that pyarrow writes holds up to 1,024
    assert large <= 1.1 * small
    assert large < 10e6


def test_large_images_are_read_few_at_a_time(tmp_path):
    images = many(tmp_path / "t.parquet", rows=40, group=40, size=3_000_000)
    images.read("row 1")
    assert [len(values) for _, values in images._kept] == [1]


def test_one_row_group_is_open_at_a_time_and_read_once(tmp_path, monkeypatch):
    images = many(tmp_path / "t.parquet", rows=300, group=100)
    opened, real = [], images._file.iter_batches
    monkeypatch.setattr(images._file, "iter_batches", lambda n, **options: opened.append(options) or real(n, **options))
    order = list(range(300))
    order[99], order[100] = 100, 99  # as threads ask that read side by side
    for row in order:
        images.read(f"row {row + 1}")
    assert [options["row_groups"] for options in opened] == [[0], [1], [2]]


def test_images_of_one_row_group_are_a_part_and_a_large_one_has_several(tmp_path):
    images = many(tmp_path / "t.parquet", rows=300, group=100, size=10)
    parts = [images.part(f"row {row + 1}") for row in range(300)]
    assert parts == [0] * 100 + [1] * 100 + [2] * 100
    large = many(tmp_path / "l.parquet", rows=3000, group=2000, size=10)
    parts = [large.part(f"row {row + 1}") for row in range(3000)]
    assert parts == [0] * 1024 + [1] * 976 + [2] * 1000
    assert large.part("row 3001") is None
    files = {"a": (images, "row 300"), "b": (large, "row 1"), "c": (large, "row 2000")}
    apart = Joined("both", files)
    assert len({apart.part(name) for name in files}) == 3
    assert apart.part("d") is None


def test_images_of_several_files_are_found_by_the_file_and_the_row(tmp_path):
    a, b = (many(tmp_path / f"{size}.parquet", rows=3, group=2, size=size) for size in (10, 20))
    both = Prefixed("both", {"x: y": a, "z": b})
    assert [len(both.read(name)) for name in ("x: y: row 1", "z: row 1")] == [10, 20]
    assert [both.part(name) for name in ("x: y: row 2", "x: y: row 3", "z: row 3")] == [0, 1, 2**32 + 1]
    for name in ("x: row 1", "z", "row 1", "z: row 4"):
        assert both.part(name) is None
        with pytest.raises(DataError, match="there is no such row"):
            both.read(name)


SHARE = """
import sys
from pathlib import Path
from fairdistill import data
from fairdistill.data.images import cache
real, count = cache.decode, []
def counting(*given):
    if not count:
        (Path(sys.argv[2]) / f"began{sys.argv[3]}").touch()
        while not (Path(sys.argv[2]) / "began1").exists() or not (Path(sys.argv[2]) / "began2").exists():
            pass
    count.append(1)
    return real(*given)
cache.decode = counting
data.load(sys.argv[1], "test", size=6, image_cache=sys.argv[2], workers=1)
print(len(count))
"""


@pytest.mark.timeout(120)
def test_two_processes_decode_each_its_own_row_groups(tmp_path):
    """Each waits until the other one has begun, which it could not if one did everything."""
    table = write(tmp_path / "t.parquet", structs([None] * len(ROWS)), rows=6)
    (tmp_path / "cache").mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SHARE, str(table), str(tmp_path / "cache"), number],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in ("1", "2")
    ]
    counts = [int(process.communicate()[0]) for process in processes]
    assert sum(counts) == len(ROWS)
    assert min(counts) > 0
    assert all(count % 6 == 0 for count in counts)


def test_a_file_that_changed_is_read_again(tmp_path):
    options = {"image_cache": str(tmp_path / "cache"), **OPTIONS}
    table = write(tmp_path / "t.parquet", structs(PATHS))
    before = data.load(str(table), "test", **options)
    write(table, pa.array([{"bytes": png(row + 50), "path": f"{row}.png"} for row in range(len(ROWS))], STRUCT), rows=9)
    after = data.load(str(table), "test", **options)
    assert before.source_ids != after.source_ids


NOT_PATHS = [
    pa.array([[{"bytes": png(row), "path": None}] for row in range(len(ROWS))]),
    pa.array([pixels(row).ravel().tolist() for row in range(len(ROWS))]),
    pa.array(range(len(ROWS))),
    pa.array(["x" * 5000] * len(ROWS)),
]


@pytest.mark.parametrize("images", NOT_PATHS, ids=["lists of structs", "pixels", "numbers", "long texts"])
def test_a_column_that_holds_neither_paths_nor_files_is_named(tmp_path, images):
    table = write(tmp_path / "t.parquet", images)
    with pytest.raises(DataError, match=r"row 1: column 'image' holds neither paths nor image files .*--image"):
        data.load_splits(str(table), cache=False, **OPTIONS)


def test_a_column_of_lists_that_identifies_nobody_is_named(tmp_path):
    pq.write_table(
        pa.table({"image": PATHS, "label": LABELS, "group": GROUPS, "source_id": [[path] for path in PATHS]}),
        tmp_path / "t.parquet",
    )
    with pytest.raises(DataError, match=r"row 1: column 'source_id' has .*, which is neither text nor a number"):
        data.load_splits(str(tmp_path / "t.parquet"), cache=False, **OPTIONS)
