"""Folders of ``save_to_disk``, made by the library itself."""

from __future__ import annotations

import io
import json

import datasets
import pytest
from PIL import Image

from fairdistill import data
from fairdistill.cli.main import main
from fairdistill.errors import DataError
from tests.data.own.making import GROUPS, LABELS, OPTIONS, pixels, png

CODES = [["oak", "ash"].index(label) for label in LABELS]
FEATURES = datasets.Features(
    {
        "image": datasets.Image(), "label": datasets.ClassLabel(names=["oak", "ash"]),
        "group": datasets.Value("string"),
    }
)  # fmt: skip


def part(rows):
    found = {
        "image": [Image.open(io.BytesIO(png(row))) for row in rows], "label": [CODES[row] for row in rows],
        "group": [GROUPS[row] for row in rows],
    }  # fmt: skip
    return datasets.Dataset.from_dict(found, features=FEATURES)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    datasets.disable_progress_bars()


@pytest.fixture
def folder(tmp_path):
    parts = {"train": part(range(12)), "validation": part(range(12, 16)), "test": part(range(16, 24))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved", num_shards={"train": 2, "validation": 1, "test": 1})
    return tmp_path / "saved"


def test_every_split_is_read_with_the_names_of_its_classes(folder, tmp_path):
    parts = data.load_splits(str(folder), image_cache=str(tmp_path / "cache"), **OPTIONS)
    assert {split: len(found) for split, found in parts.items()} == {"train": 12, "val": 4, "test": 8}
    assert parts["test"].class_names == ("oak", "ash")
    for split, first in (("train", 0), ("val", 12), ("test", 16)):
        for at in range(len(parts[split])):
            image, label, _, _ = parts[split][at]
            assert (image.permute(1, 2, 0).numpy() == pixels(first + at)).all()
            assert label == CODES[first + at]


def test_a_data_set_without_splits_is_drawn_and_its_images_may_be_read_in_any_order(tmp_path):
    part(range(24)).save_to_disk(tmp_path / "one")
    parts = data.load_splits(str(tmp_path / "one"), cache=False, **OPTIONS)
    assert set(parts) == {"train", "test"}
    assert sum(map(len, parts.values())) == 24
    train = parts["train"]
    for at in reversed(range(len(train))):
        row = int(train.ids[at].removeprefix("row ")) - 1
        assert (train[at][0].permute(1, 2, 0).numpy() == pixels(row)).all()


def test_it_is_inspected(folder, tmp_path, capsys):
    assert main(["data", "inspect", "--data", str(folder), "--image-cache", str(tmp_path / "cache")]) == 0
    text = capsys.readouterr().out
    assert "Images are 6x6 pixels (12 checked)" in text
    assert "There is no validation set" not in text
    assert "The classes and their order are those stored in the file: oak, ash" in text


def test_what_cannot_be_used_is_named(folder, tmp_path):
    states = folder / "train" / "state.json"
    content = json.loads(states.read_text())
    (folder / "train" / content["_data_files"][0]["filename"]).rename(tmp_path / "away")
    with pytest.raises(DataError, match=r"state\.json names data-00000-of-00002\.arrow, which is not there; copy"):
        data.load_splits(str(folder), **OPTIONS)
    (folder / "train" / content["_data_files"][0]["filename"]).write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"data-00000-of-00002\.arrow is not a readable Arrow file"):
        data.load_splits(str(folder), **OPTIONS)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "extra"]}')
    with pytest.raises(DataError, match="has the split 'extra', expected train, val or test; name the folder of one"):
        data.load_splits(str(folder), **OPTIONS)
