from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairdistill import data
from fairdistill.data.own.metadata import metadata_tables
from fairdistill.errors import DataError
from tests.data.own.making import GROUPS, LABELS, OPTIONS, ROWS, write_images

NAMES = [f"{row}.png" for row in range(len(ROWS))]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines))
    else:
        pytest.importorskip("pyarrow")
        import pandas as pd

        pd.DataFrame(rows).to_parquet(path)


def rows_of(names: list[str], **more: list[object]) -> list[dict[str, object]]:
    columns = {"file_name": names, "label": LABELS, "group": GROUPS, **more}
    return [dict(zip(columns, values, strict=False)) for values in zip(*columns.values(), strict=False)]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_one_table_describes_the_images_of_a_folder(tmp_path, suffix):
    write_images(tmp_path / "images", NAMES)
    write(tmp_path / f"metadata{suffix}", rows_of([f"images/{name}" for name in NAMES]))
    parts = data.load_splits(str(tmp_path), cache=False, **OPTIONS)
    assert sum(map(len, parts.values())) == len(ROWS)
    assert parts["test"].class_names == ("ash", "oak")
    again = data.load_splits(str(tmp_path / f"metadata{suffix}"), cache=False, **OPTIONS)
    assert again["test"].ids == parts["test"].ids


def test_each_split_may_have_a_table_of_its_own(tmp_path):
    for word, rows in (("train", range(12)), ("validation", range(12, 16)), ("test", range(16, 24))):
        described = rows_of([NAMES[row] for row in rows])
        for row, line in zip(rows, described, strict=True):
            line |= {"label": LABELS[row], "group": GROUPS[row]}
            write_images(tmp_path, [f"{word}/{NAMES[row]}"])
        write(tmp_path / word / "metadata.jsonl", described)
    parts = data.load_splits(str(tmp_path), cache=False, **OPTIONS)
    assert {split: len(part) for split, part in parts.items()} == {"train": 12, "val": 4, "test": 8}
    assert parts["val"].ids == tuple(f"validation/{row}.png" for row in range(12, 16))


def test_the_folders_in_one_table_are_splits_if_all_of_them_are(tmp_path):
    names = [f"{'test' if row % 4 == 0 else 'train'}/{name}" for row, name in enumerate(NAMES)]
    write_images(tmp_path, names)
    labels: list[object] = ["oak" if row % 8 < 4 else "ash" for row in range(24)]
    write(tmp_path / "metadata.csv", rows_of(names, label=labels))
    assert len(data.load(str(tmp_path), "test", cache=False, **OPTIONS)) == 6
    write(tmp_path / "metadata.csv", rows_of([*names[:-1], "23.png"]))
    write_images(tmp_path, NAMES)
    assert "no split is given" in data.load(str(tmp_path), "test", cache=False, **OPTIONS).notes[-1]


def test_the_folder_of_an_image_is_its_class_if_there_is_no_label(tmp_path):
    names = [f"{label}/{name}" for label, name in zip(LABELS, NAMES, strict=True)]
    write_images(tmp_path, names)
    write(tmp_path / "metadata.csv", [{"file_name": n, "race": g} for n, g in zip(names, GROUPS, strict=True)])
    found = data.load(str(tmp_path), "train", cache=False, group="race", **OPTIONS)
    assert (found.class_names, found.group_names) == (("ash", "oak"), ("x", "y"))


@pytest.mark.parametrize("start", ["", ".\\"])
def test_splits_and_classes_are_found_in_paths_of_windows(tmp_path, start):
    names = [f"{'test' if row % 4 == 0 else 'train'}/{LABELS[row]}/{name}" for row, name in enumerate(NAMES)]
    write_images(tmp_path, names)
    described = [
        {"file_name": start + name.replace("/", "\\"), "group": g} for name, g in zip(names, GROUPS, strict=True)
    ]
    write(tmp_path / "metadata.csv", described)
    parts = data.load_splits(str(tmp_path), cache=False, **OPTIONS)
    assert {split: len(part) for split, part in parts.items()} == {"train": 18, "test": 6}
    assert parts["test"].class_names == ("ash", "oak")
    assert parts["test"].ids == tuple(names[::4])


def test_a_folder_without_file_names_in_its_table_is_one_of_class_folders(tmp_path):
    write_images(tmp_path, [f"{a}/{b}/{n}.png" for a, b, n in ROWS])
    (tmp_path / "metadata.csv").write_text("about,value\nlicense,CC0\n")
    assert metadata_tables(tmp_path) == ()
    assert data.load(str(tmp_path), "train", cache=False, **OPTIONS).class_names == ("ash", "oak")


def test_a_fault_is_named_with_its_table_and_line(tmp_path):
    write_images(tmp_path, [f"train/{name}" for name in NAMES[:12]] + [f"test/{name}" for name in NAMES[12:]])
    write(tmp_path / "test/metadata.jsonl", rows_of(NAMES[12:]))
    described = rows_of(NAMES[:12])
    described[3]["label"] = None
    write(tmp_path / "train/metadata.jsonl", described)
    with pytest.raises(DataError, match=r"train/metadata\.jsonl, line 4: column 'label' is empty"):
        data.load(str(tmp_path), "train", cache=False, **OPTIONS)
    described[3]["file_name"] = ""
    write(tmp_path / "train/metadata.jsonl", described)
    with pytest.raises(DataError, match=r"train/metadata\.jsonl, line 4: column 'file_name' is empty"):
        data.load(str(tmp_path), "train", cache=False, **OPTIONS)


def test_a_fault_is_named_in_a_table_of_another_encoding(tmp_path):
    write_images(tmp_path, NAMES)
    described = rows_of(NAMES)
    described[1]["group"], described[3]["file_name"] = "caf\xe9", "https://a.org/b.png"
    write(tmp_path / "metadata.csv", described)
    text = (tmp_path / "metadata.csv").read_text()
    (tmp_path / "metadata.csv").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"metadata\.csv, row 5: 'https://a\.org/b\.png' is a URL"):
        data.load(str(tmp_path), "train", cache=False, encoding="latin-1", **OPTIONS)


def test_a_table_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"\n')
    with pytest.raises(DataError, match=r"metadata\.jsonl, line 1: this is not JSON"):
        data.load(str(tmp_path), "test", **OPTIONS)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"}\n')
    with pytest.raises(DataError, match=r"no column 'label'; its columns are file_name\. Choose one with --label"):
        data.load(str(tmp_path), "test", **OPTIONS)
    (tmp_path / "metadata.csv").write_bytes(b"file_name,label,group\na.png,x,\xe9\n")
    with pytest.raises(DataError, match=r"--encoding latin-1"):
        data.load(str(tmp_path), "test", **OPTIONS)


def test_folders_that_seem_to_be_splits_are_not_taken_for_classes(tmp_path):
    names = [f"oak/{'test' if row % 4 == 0 else 'train'}/{name}" for row, name in enumerate(NAMES)]
    write_images(tmp_path, names)
    rows = [{"file_name": row["file_name"], "group": row["group"]} for row in rows_of(names)]
    write(tmp_path / "metadata.csv", rows)
    reason = r"no column 'label', and the folders .* 'test' and 'train', seem to be splits"
    with pytest.raises(DataError, match=reason):
        data.load_splits(str(tmp_path), cache=False, **OPTIONS)
    write(tmp_path / "metadata.csv", rows_of(names))
    (note,) = [note for note in data.load(str(tmp_path), "test", cache=False, **OPTIONS).notes if "seem to be" in note]
    assert note.startswith("The folders 'test' and 'train' in the paths of images seem to be splits")
