"""UTKFace's protocol on drawn images with names in the official format."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill import data
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import DataError, UsageError
from fairdistill.system.vision import import_torchvision

ODD = ["61_1_20170109150557335.jpg.chip.jpg", "24_0_1_.extra_20170116220224657.jpg", "notes.txt", "5_3_1_2017.jpg"]


def draw_utkface(root: Path, *, per_cell: int = 4) -> list[str]:
    """Write images of every age class, gender and race, some of race 4, and files whose names do not parse."""
    draw = np.random.default_rng(0)
    folder = root / "UTKFace"
    folder.mkdir(parents=True)
    names = []
    for race in range(5):
        for low, high in ((1, 20), (20, 40), (40, 90)):
            for number in range(per_cell):
                age = int(draw.integers(low, high))
                names.append(f"{age}_{number % 2}_{race}_2017{int(draw.integers(10**9)):09d}.jpg.chip.jpg")
    for name in names:
        Image.fromarray(draw.integers(0, 256, (20, 20, 3), dtype=np.uint8)).resize((200, 200)).save(folder / name)
    for name in ODD:
        (folder / name).write_bytes(b"")
    return names


def load(root: Path, **options):
    options = {"test_per_cell": 1, "image_cache": str(root / "images"), **options}
    return data.load_splits("utkface", root=root, **options)


def protocol(names: list[str], per_cell: int) -> tuple[list[str], list[str]]:
    """The notes' rules in plain steps: return training and test files."""
    kept = [name for name in names if name.split("_")[2] != "4"]
    kept.sort(key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
    random.seed(1)
    random.shuffle(kept)
    taken: dict[tuple[int, int], int] = {}
    test = []
    for name in reversed(kept):
        age, _, race, _ = name.split("_")
        cell = (0 if int(age) < 20 else 1 if int(age) < 40 else 2, int(race))
        if taken.get(cell, 0) < per_cell:
            taken[cell] = taken.get(cell, 0) + 1
            test.append(name)
    return [name for name in kept if name not in test], test


def test_the_split_is_the_papers_and_the_same_for_every_run(tmp_path):
    names = draw_utkface(tmp_path)
    parts = load(tmp_path)
    train, test = protocol(names, 1)
    assert list(parts["train"].ids) == train
    assert sorted(parts["test"].ids) == sorted(test)
    assert parts["test"].cell_counts().tolist() == [[1] * 4] * 3
    assert parts["train"].cell_counts().tolist() == [[3] * 4] * 3
    assert "val" not in parts
    assert load(tmp_path)["test"].ids == parts["test"].ids


def test_labels_are_age_classes_and_groups_races(tmp_path):
    draw_utkface(tmp_path)
    for part in load(tmp_path).values():
        for name, label, group in zip(part.ids, part.labels.tolist(), part.groups.tolist(), strict=True):
            age, _, race, _ = name.split("_")
            assert (
                part.class_names[label] == ("under 20", "20 to 39", "40 and over")[(int(age) >= 20) + (int(age) >= 40)]
            )
            assert group == int(race)


def test_names_that_do_not_parse_and_other_races_are_counted(tmp_path):
    draw_utkface(tmp_path)
    notes = load(tmp_path)["train"].notes
    assert any(note.startswith("4 files are not named age_gender_race_time") for note in notes)
    assert any(note.startswith("12 images of the race 'others'") for note in notes)


def test_other_targets_and_groups_have_a_balanced_test_set_too(tmp_path):
    draw_utkface(tmp_path)
    parts = load(tmp_path, target="gender", group="age", test_per_cell=2)
    assert parts["test"].cell_counts().tolist() == [[2] * 3] * 2
    assert parts["test"].class_names == ("male", "female")


def test_preprocessing_is_torchvisions(tmp_path):
    draw_utkface(tmp_path)
    torchvision = import_torchvision()
    parts = load(tmp_path)

    def resized(name: str, size: int) -> np.ndarray:
        picture = Image.open(tmp_path / "UTKFace" / name).convert("RGB")
        return np.asarray(torchvision.transforms.Resize((size, size))(picture)).astype(int)

    test = parts["test"][3][0].permute(1, 2, 0).numpy().astype(int)
    assert abs(test - resized(parts["test"].ids[3], 176)).max() <= 1
    train = parts["train"]
    batch = Pipeline(train, device=torch.device("cpu"), seed=0).train_batch(torch.arange(6), step=5)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (train.recipe.mean, train.recipe.std))
    corners = set()
    for row in range(6):
        top, left = (batch.draws.boxes[row, :2] * 256).round().long().tolist()
        corners.add((top, left))
        window = resized(train.ids[row], 256)[top : top + 176, left : left + 176]
        expected = torch.from_numpy(window).permute(2, 0, 1)
        if batch.state[row]:
            expected = expected.flip(2)
        assert ((batch.images[row] * std + mean) * 255 - expected).abs().max() <= 1.01
    assert len(corners) > 1


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"test_per_cell": 4}, DataError, "has 4 images of under 20, White; the test set takes 4 per subgroup"),
        ({"test_per_cell": 0}, UsageError, "test_per_cell to be at least 1"),
        ({"target": "race"}, UsageError, "both are race"),
        ({"target": "height"}, UsageError, "one of age, gender, race"),
    ],
)
def test_options_that_do_not_fit_are_errors(tmp_path, options, error, text):
    draw_utkface(tmp_path)
    with pytest.raises(error, match=text):
        load(tmp_path, **options)


def test_what_is_missing_is_named_with_where_to_get_it_and_its_terms(tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    with pytest.raises(DataError, match=r"--data-root.*susanqq.*non-commercial"):
        data.load("utkface", "test")
    with pytest.raises(DataError, match="found no UTKFace/"):
        data.load("utkface", "test", root=tmp_path)
    (tmp_path / "UTKFace").mkdir()
    with pytest.raises(DataError, match="holds no image named age_gender_race_time"):
        data.load("utkface", "test", root=tmp_path)
