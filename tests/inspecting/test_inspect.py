from __future__ import annotations

from pathlib import Path

import pytest

from fairdistill.cli.main import main
from fairdistill.errors import UsageError
from fairdistill.inspecting.inspect import InspectOptions, inspect
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
    assert "Images of 20x20 pixels" in shown
    assert "train   dark  light  all\ndisc       3      3    6\nsquare     3      3    6" in shown
    assert "8 rows; smallest cell: disc, dark with 2." in shown
    assert "No validation rows of its own" in shown
    assert "a perfectly fair model of 80% accuracy would show DEO_A" in shown
    assert "Warning: 4 of 4 test cells have fewer than 100 rows" in shown


def test_broken_files_and_duplicates_are_listed_and_do_not_stop_it(arguments, tmp_path, capsys):
    train = tmp_path / "data/train"
    (train / "001.png").write_bytes(b"")
    (train / "002.png").write_bytes((tmp_path / "data/test/000.png").read_bytes())
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "1 images cannot be read:\n  train/001.png: the file is empty (0 bytes)" in shown
    assert "1 rows repeat a picture of another split (such as test/000.png and train/002.png)." in shown


def test_a_missing_test_cell_is_named(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if not (line.startswith("test") and "disc,dark" in line)))
    assert main(arguments) == 0
    assert "Warning: no test row of disc, dark: DEO is undefined" in capsys.readouterr().out


def test_a_table_of_test_rows_alone_says_that_training_needs_more(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    table.write_text(table.read_text().replace(",train", ",test"))
    assert main(arguments) == 0
    assert "No train rows, which training needs; see --split-map." in capsys.readouterr().out


def test_rows_of_unknown_group_are_counted(arguments, tmp_path, capsys):
    table = tmp_path / "data/images.csv"
    table.write_text(table.read_text().replace("train/000.png,disc,dark", "train/000.png,disc,"))
    assert main(arguments) == 0
    assert "train   dark  light  unknown  all\ndisc       2      3        1    6" in capsys.readouterr().out


def test_an_embedded_data_set_is_inspected_too():
    shown = inspect(InspectOptions(), {"skew": 0.9})
    assert "10 classes, 2 groups" in shown
    assert "Some rows share a picture" in shown


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


def test_data_alone_says_what_there_is(capsys):
    assert main(["data"]) == 2
    assert "data inspect" in capsys.readouterr().err
    assert main(["data", "--help"]) == 0
