from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fairdistill.cli.main import main
from fairdistill.errors import UsageError
from fairdistill.inspecting import InspectOptions, Subgroup, inspect
from tests.training.faces import draw_table


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    table = draw_table(tmp_path / "data", train=12, test=8)
    return [
        "data", "inspect", "--data", str(table), "--label", "shape", "--group", "ground", "--size", "16",
        "--image-cache", str(tmp_path / "images"),
    ]  # fmt: skip


def test_cells_splits_sizes_and_what_chance_gives_are_shown(arguments, capsys):
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "2 classes, 2 groups" in shown
    assert "Images are 20x20 pixels (12 checked)." in shown
    assert "train   dark  light  all\ndisc       3      3    6\nsquare     3      3    6" in shown
    assert "8 images; smallest subgroup: disc, dark with 2." in shown
    assert "There is no validation set" in shown
    assert "a perfectly fair model with 80% accuracy would show DEO_A" in shown
    assert "Warning: 4 of 4 test subgroups have fewer than 100 images" in shown


def test_broken_files_and_duplicates_are_listed_and_do_not_stop_it(arguments, tmp_path, capsys):
    train = tmp_path / "data/train"
    (train / "001.png").write_bytes(b"")
    (train / "002.png").write_bytes((tmp_path / "data/test/000.png").read_bytes())
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "1 image cannot be read:\n  train/001.png: the file is empty (0 bytes)" in shown
    assert "1 row has the same image as a row of another split (for example test/000.png and train/002.png)." in shown


def test_a_missing_test_cell_is_named(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if not (line.startswith("test") and "disc,dark" in line)))
    assert main(arguments) == 0
    assert "Warning: there is no test image of disc, dark, so DEO is undefined" in capsys.readouterr().out


def test_line_breaks_in_names_are_escaped(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    table.write_text(table.read_text().replace(",disc,", ',"di\nsc",'))
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert r"smallest subgroup: di\nsc, dark with 2." in shown
    assert "\nsc" not in shown


def test_a_table_of_test_rows_alone_says_that_training_needs_more(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    table.write_text(table.read_text().replace(",train", ",test"))
    assert main(arguments) == 0
    assert "There are no train images, which training needs; see --split-map." in capsys.readouterr().out


def test_rows_of_unknown_group_are_counted(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    table.write_text(table.read_text().replace("train/000.png,disc,dark", "train/000.png,disc,"))
    assert main(arguments) == 0
    assert "train   dark  light  unknown  all\ndisc       2      3        1    6" in capsys.readouterr().out


def test_an_embedded_data_set_is_inspected_too():
    result = inspect("digits-s", data_options={"skew": 0.9})
    assert "digits-s: 10 classes, 2 groups" in result.text()
    assert "Some images share a picture or a person" in result.text()
    assert (result.split("test").sources, result.split("test").shared_pictures) == (597, 597)
    assert "1,194 images of 597 pictures or people" in result.text()
    assert result.sources_in_several_splits == 0


def test_the_result_is_typed_and_says_what_the_text_says(arguments, tmp_path):
    train = tmp_path / "data/train"
    (train / "001.png").write_bytes(b"")
    (train / "002.png").write_bytes((tmp_path / "data/test/000.png").read_bytes())
    options = {"label": "shape", "group": "ground", "size": 16, "image_cache": str(tmp_path / "images")}
    result = inspect(tmp_path / "data/images.csv", options=InspectOptions(data_options=options), accuracy=0.9)
    assert (result.class_names, result.group_names) == (("disc", "square"), ("dark", "light"))
    assert [split.split for split in result.splits] == ["train", "test"]
    assert result.split("val") is None
    assert result.split("train").images == sum(each.images for each in result.split("train").subgroups) == 11
    assert result.split("test").smallest == Subgroup(group="dark", class_name="disc", images=2)
    assert len(result.split("test").smaller_than(3)) == 4
    assert result.split("test").empty == ()
    assert result.image_sizes.most_common == result.image_sizes.smallest == (20, 20)
    assert [(file.image, file.reason) for file in result.skipped] == [("train/001.png", "the file is empty (0 bytes)")]
    assert any("the same image as a row of another split" in note for note in result.notes)
    assert 0 < result.chance.deo_a.value < result.chance.deo_m.value < 1
    assert result.sizing.smallest_cell == 2
    assert "Images per subgroup needed to detect that one group is behind in every class by 2 points: " in result.text()
    content = result.to_dict()
    assert list(content) == [
        "data", "class_names", "group_names", "splits", "sources_in_several_splits", "image_sizes", "pixels",
        "accuracy", "chance", "sizing", "skipped", "notes",
    ]  # fmt: skip
    assert content["sources_in_several_splits"] == 1
    assert "Warning: 1 picture or person is in more than one split." in result.text()
    assert content["splits"][1]["subgroups"][0] == {"group": "dark", "class": "disc", "images": 2}
    assert json.loads(json.dumps(content)) == content


def test_people_in_several_splits_are_counted_and_unknown_groups_named(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    lines = table.read_text().splitlines()
    made = [f"{lines[0]},who", *(f"{line},p{row % 5}" for row, line in enumerate(lines[1:]))]
    table.write_text("\n".join(made).replace("train/000.png,disc,dark", "train/000.png,disc,n/a"))
    assert main([*arguments, "--source", "who"]) == 0
    shown = capsys.readouterr().out
    assert "12 images of 5 pictures or people" in shown
    assert "Warning: 5 pictures or people are in more than one split." in shown
    assert "5 of 5 sources are in more than one split (for example 'p0' in train and test)" in shown
    assert "In column 'ground', 'n/a' (1 row) counts as a group; if it means unknown, add --unknown n/a" in shown
    assert main([*arguments, "--unknown", "n/a"]) == 0
    assert "train   dark  light  unknown  all\ndisc       2      3        1    6" in capsys.readouterr().out


def test_options_of_the_data_set_may_be_given_as_keywords_too():
    given = inspect("digits-s", skew=0.9, options=InspectOptions(data_options={"skew": 0.5, "data_seed": 1}))
    assert given == inspect("digits-s", data_options={"skew": 0.9, "data_seed": 1})
    with pytest.raises(UsageError, match="InspectOptions has no option 'skow'"):
        inspect("digits-s", skow=0.9)


@pytest.mark.parametrize("accuracy", [0.0, 1.0, 1.5])
def test_an_accuracy_that_is_none_is_refused(accuracy):
    with pytest.raises(UsageError, match="expected accuracy to lie between 0 and 1"):
        InspectOptions(accuracy=accuracy)


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        (["--label", "shap"], ["no column 'shap'", "image, shape, ground, split", "--label"]),
        (["--split-map", "test"], ["--split-map NAME=VALUE", "'test'"]),
        (["--split-map", "dev=val"], ["--split-map dev=val", "test, train"]),
        (["--bin", "age=20"], ["--bin age", "shape"]),
        (["--mean", "a"], ["mean", "three numbers"]),
    ],
)
def test_bad_input_is_one_line_with_exit_code_2(arguments, more, parts, capsys):
    assert main([*arguments, *more]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    for part in parts:
        assert part in shown


def test_data_without_a_name_is_not_the_default(capsys):
    assert main(["data", "inspect", "--data", ""]) == 2
    assert "expected data to be a path, but got an empty text" in capsys.readouterr().err


def test_data_alone_says_what_there_is(capsys):
    assert main(["data"]) == 2
    assert "data inspect" in capsys.readouterr().err
    assert main(["data", "--help"]) == 0


def test_the_options_need_no_torch():
    command = "import sys, fairdistill.inspecting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
