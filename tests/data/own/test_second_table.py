from __future__ import annotations

import pandas as pd
import pytest

from fairdistill import data
from fairdistill.cli.main import main
from fairdistill.errors import DataError
from tests.data.own.making import GROUPS, LABELS, OPTIONS, pixels, write_images


def table(folder, rows, **columns):
    """Write a table of some images beside them; the same names in every folder."""
    folder.mkdir()
    names = [f"{at}.png" for at in range(len(rows))]
    write_images(folder / "all", [f"{row}.png" for row in range(24)])
    for name, row in zip(names, rows, strict=True):
        (folder / "all" / f"{row}.png").rename(folder / name)
    frame = pd.DataFrame({"image": names, "label": [LABELS[r] for r in rows], "group": [GROUPS[r] for r in rows]})
    frame.assign(**columns).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


@pytest.fixture
def tables(tmp_path):
    return table(tmp_path / "a", range(16)), table(tmp_path / "b", range(16, 24))


def loaded(tables, tmp_path, **options):
    first, second = tables
    cache = str(tmp_path / "cache")
    return data.load_splits(str(first), test_data=str(second), image_cache=cache, **OPTIONS, **options)


def test_the_second_table_is_the_test_set_and_the_first_is_for_training(tables, tmp_path):
    parts = loaded(tables, tmp_path)
    assert {split: len(part) for split, part in parts.items()} == {"train": 16, "test": 8}
    for split, first in (("train", 0), ("test", 16)):
        for at in range(len(parts[split])):
            image, label, group, _ = parts[split][at]
            assert (image.permute(1, 2, 0).numpy() == pixels(first + at)).all()
            assert parts[split].class_names[label] == LABELS[first + at]
            assert parts[split].group_names[group] == GROUPS[first + at]
    assert parts["test"].ids[0] == "t.csv: 0.png"


def test_splits_of_the_first_table_stay_and_people_may_be_in_both(tmp_path):
    who = [f"p{row // 4}" for row in range(16)]
    first = table(tmp_path / "a", range(16), split=["train"] * 12 + ["val"] * 4, who=who)
    second = table(tmp_path / "b", range(16, 24), who=["p0"] * 4 + ["q"] * 4)
    parts = loaded((first, second), tmp_path, source="who")
    assert {split: len(part) for split, part in parts.items()} == {"train": 12, "val": 4, "test": 8}
    assert parts["train"].source_ids[0] == parts["test"].source_ids[0]
    assert any("in more than one split" in note for note in parts["train"].notes)


def test_what_does_not_fit_is_named(tmp_path, tables):
    with_test = table(tmp_path / "c", range(16), split=["train"] * 12 + ["test"] * 4)
    with pytest.raises(DataError, match=r"c/t\.csv has test rows already, so --test-data .* does not apply"):
        loaded((with_test, tables[1]), tmp_path)
    other = table(tmp_path / "d", range(16, 24), label=["oak", "elm"] * 4)
    with pytest.raises(DataError, match=r"d/t\.csv has the class 'elm', which .*a/t\.csv lacks \(it has ash, oak\)"):
        loaded((tables[0], other), tmp_path)


def test_it_is_inspected(tables, tmp_path, capsys):
    flags = ["--test-data", str(tables[1]), "--image-cache", str(tmp_path / "cache")]
    assert main(["data", "inspect", "--data", str(tables[0]), *flags]) == 0
    assert "8 images; smallest subgroup" in capsys.readouterr().out
