from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from fairdistill import data
from fairdistill.data import DATASETS, load
from fairdistill.errors import UsageError


@pytest.mark.parametrize("name", data.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert hasattr(data, name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "cifar10",
            r"unknown data set 'cifar10'; did you mean 'cifar10s'\? Choose one of: digits-s, cifar10s",
        ),
        ("digits_s", r"did you mean 'digits-s'\?"),
        ("imagenet", r"unknown data set 'imagenet'\. Choose one of: digits-s, cifar10s"),
    ],
)
def test_an_unknown_data_set_is_named_with_those_there_are(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(name, "train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [], "annotations": []}', "is JSON; write one object a line"),
        ("label,group,image", "is not a table .*; give a text table the extension .csv, whatever separates its fields"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_what_to_do(tmp_path, content: str, message: str) -> None:
    (tmp_path / "labels.txt").write_text(content)
    with pytest.raises(UsageError, match=rf"labels\.txt {message}"):
        load(str(tmp_path / "labels.txt"), "train")
    with pytest.raises(UsageError, match=r"there is no folder or table .*photos; correct the path"):
        load(str(tmp_path / "photos"), "train")


@pytest.mark.parametrize("name", DATASETS)
def test_an_unknown_split_is_named_with_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="unknown split 'valid'; choose one of: train, val, test"):
        load(name, "valid")  # type: ignore[arg-type]


def test_a_split_the_data_set_lacks_comes_with_the_way_to_cut_one() -> None:
    with pytest.raises(UsageError, match=r"'cifar10s' has no 'val' split of its own.*cut_validation"):
        load("cifar10s", "val")


@pytest.mark.parametrize("name", DATASETS)
def test_an_unknown_option_is_named_with_those_there_are(name: str) -> None:
    known = ", ".join(field.name for field in fields(DATASETS[name].options))
    with pytest.raises(UsageError, match=f"'{name}' has no option 'sew'; it has: {known}$"):
        load(name, "train", sew=0.9)


@pytest.mark.parametrize("name", DATASETS)
def test_options_have_defaults_and_are_frozen(name: str) -> None:
    options = DATASETS[name].options()
    for field in fields(options):
        with pytest.raises(AttributeError):
            setattr(options, field.name, 0)


def test_options_reach_the_data_set_and_a_root_may_be_text(tmp_path: Path) -> None:
    assert load("digits-s", "train", root=str(tmp_path), skew=0.5).groups.float().mean() == pytest.approx(0.5, abs=0.01)
    assert load("digits-s", "train", skew=1.0).cell_counts()[:5, 1].tolist() == [0] * 5


def test_the_name_of_a_loaded_split_says_what_it_is() -> None:
    assert load("digits-s", "val").name == "digits-s/val"


def test_the_options_of_every_data_set_are_read_without_torch():
    code = (
        "import sys; from fairdistill import data; "
        "[data.entry(name).options() for name in data.DATASETS]; print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout == "False\n"
