"""CelebA's protocol on drawn images in the official formats."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill import data
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import DataError, UsageError
from fairdistill.system.vision import import_torchvision

ATTRIBUTES = ["Attractive", "Male", "Young"]


def draw_celeba(folder: Path, *, zipped: bool = False) -> list[tuple[str, list[int], int]]:
    """Write 60 noise images and the two official files; return what they say."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(60):
        values = [1 if bit else -1 for bit in (number % 2, number // 2 % 2, number % 7 < 3)]
        if number % 5 == 0:
            values[1] = 1
        rows.append((f"{number + 1:06d}.jpg", values, 0 if number < 24 else 1 if number < 34 else 2))
    images = folder / "img_align_celeba"
    images.mkdir()
    for name, _, _ in rows:
        Image.fromarray(draw.integers(0, 256, (218, 178, 3), dtype=np.uint8)).save(images / name)
    if zipped:
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
            for name, _, _ in rows:
                archive.write(images / name, f"img_align_celeba/{name}")
                (images / name).unlink()
        images.rmdir()
    lines = [str(len(rows)), " ".join(ATTRIBUTES) + " "]
    lines += [f"{name}  " + "  ".join(f"{value:2d}" for value in values) for name, values, _ in rows]
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {part}\n" for name, _, part in rows))
    return rows


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "celeba"


def load(root: Path, **options):
    return data.load_splits("celeba", root=root, image_cache=str(root.parent / "images"), **options)


@pytest.mark.parametrize("zipped", [False, True])
def test_partitions_are_official_and_the_test_set_is_cut_in_file_order_to_its_smallest_cell(root, zipped):
    rows = draw_celeba(root, zipped=zipped)
    parts = load(root)
    for split, part in (("train", 0), ("val", 1)):
        assert list(parts[split].ids) == [name for name, _, partition in rows if partition == part]
    cells = {}
    for name, (attractive, male, _), partition in rows:
        if partition == 2:
            cells.setdefault((attractive > 0, male > 0), []).append(name)
    smallest = min(len(names) for names in cells.values())
    assert len(cells) == 4
    expected = sorted(name for names in cells.values() for name in names[:smallest])
    assert list(parts["test"].ids) == expected
    assert parts["test"].cell_counts().tolist() == [[smallest] * 2] * 2
    assert parts["test"].class_names == ("not Attractive", "Attractive")
    assert parts["test"].group_names == ("not Male", "Male")
    for dataset in parts.values():
        truth = {name: values for name, values, _ in rows}
        assert dataset.labels.tolist() == [int(truth[name][0] > 0) for name in dataset.ids]
        assert dataset.groups.tolist() == [int(truth[name][1] > 0) for name in dataset.ids]


def test_groups_cross_several_attributes_and_the_test_set_may_stay_whole(root):
    rows = draw_celeba(root)
    parts = load(root, group="Male,Young", balanced_test=False)
    assert parts["test"].group_names == ("not Male, not Young", "not Male, Young", "Male, not Young", "Male, Young")
    assert len(parts["test"]) == sum(partition == 2 for *_, partition in rows)


def test_the_test_image_is_torchvisions_resize_and_the_crop_its_resized_crop(root):
    draw_celeba(root)
    torchvision = import_torchvision()
    parts = load(root)
    picture = Image.open(root / "img_align_celeba" / parts["test"].ids[0]).convert("RGB")
    resized = np.asarray(torchvision.transforms.Resize((176, 176))(picture)).astype(int)
    ours = parts["test"][0][0].permute(1, 2, 0).numpy().astype(int)
    assert abs(ours - resized).max() <= 1
    pipeline = Pipeline(parts["train"], device=torch.device("cpu"), seed=0)
    batch = pipeline.train_batch(torch.arange(8), step=0)
    recipe = parts["train"].recipe
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (recipe.mean, recipe.std))
    for row in range(8):
        picture = Image.open(root / "img_align_celeba" / parts["train"].ids[row]).convert("RGB")
        top, left, high, wide = (batch.draws.boxes[row] * torch.tensor([218, 178, 218, 178])).round().long().tolist()
        cut = torchvision.transforms.functional.resized_crop(picture, top, left, high, wide, [176, 176])
        expected = torch.from_numpy(np.array(cut)).permute(2, 0, 1)
        if batch.state[row]:
            expected = expected.flip(2)
        shown = (batch.images[row] * std + mean) * 255
        assert (shown - expected).abs().max() <= 1.01


BAD = [
    ("list_attr_celeba.txt", lambda text: text.replace("60\n", "61\n", 1), "announces 61 images but lists 60"),
    ("list_attr_celeba.txt", lambda text: text.replace("000003.jpg", "000003.jpg 5"), r"line 5: expected .* 3 values"),
    ("list_attr_celeba.txt", lambda text: "image,Male\n" + text, "line 1: expected the number of images"),
    ("list_eval_partition.txt", lambda text: text.replace("000002.jpg 0", "000002.jpg 7"), "line 2: .* 0, 1 or 2"),
    ("list_eval_partition.txt", lambda text: text.replace("000060.jpg 2\n", ""), r"no line for 000060\.jpg"),
]


@pytest.mark.parametrize(("file", "change", "text"), BAD, ids=[text for *_, text in BAD])
def test_a_file_not_in_the_official_format_is_named_with_its_line(root, file, change, text):
    draw_celeba(root)
    path = root / file
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=text):
        load(root)


def test_what_is_missing_is_named_with_where_to_get_it_and_its_terms(root, tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    with pytest.raises(DataError, match=r"--data-root.*mmlab.*non-commercial"):
        data.load("celeba", "test")
    with pytest.raises(DataError, match=r"found no list_attr_celeba\.txt in .*mmlab"):
        data.load("celeba", "test", root=tmp_path)
    draw_celeba(root)
    (root / "img_align_celeba").rename(root / "elsewhere")
    with pytest.raises(DataError, match=r"neither img_align_celeba/ nor img_align_celeba\.zip"):
        load(root)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"target": "Smiling"}, DataError, "no attribute 'Smiling'; it has Attractive, Male, Young"),
        ({"group": "Male,Attractive"}, UsageError, "Attractive is in both"),
        ({"size": 0}, UsageError, "size to be at least 1"),
    ],
)
def test_options_that_do_not_fit_are_errors(root, options, error, text):
    draw_celeba(root)
    with pytest.raises(error, match=text):
        load(root, **options)


def test_several_targets_are_attributes_of_one_network(root):
    rows = draw_celeba(root)
    options = {"target": "Attractive,Young", "balanced_test": False}
    parts = load(root, **options)
    train = parts["train"]
    assert train.attributes is not None
    assert train.attributes.answers == (("not Attractive", "Attractive"), ("not Young", "Young"))
    attractive, young = train.of_attributes()
    assert attractive.labels.tolist() == [int(values[0] > 0) for _, values, part in rows if part == 0]
    assert young.labels.tolist() == [int(values[2] > 0) for _, values, part in rows if part == 0]
    assert load(root, target="Attractive", balanced_test=False)["train"].attributes is None
    with pytest.raises(UsageError, match=r"a balanced test set is balanced for one attribute; add --no-balanced-test"):
        load(root, target="Attractive,Young")
    with pytest.raises(UsageError, match="names Young twice"):
        load(root, target="Young,Young", balanced_test=False)
    with pytest.raises(UsageError, match="expected target and group to differ, but Male is in both"):
        load(root, target="Young,Male", balanced_test=False)
