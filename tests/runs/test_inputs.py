from __future__ import annotations

import re

import pytest

from fairdistill.errors import UsageError
from fairdistill.runs import check_no_input


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a run, a folder of images and a table."""
    monkeypatch.chdir(tmp_path)
    for name in ("run/config.yaml", "run/result.json", "run/checkpoint/state.pt", "run/audit.json", "t.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("images/metadata.csv", "images/predictions.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    (tmp_path / "linked").symlink_to(tmp_path / "run")
    return tmp_path


@pytest.mark.parametrize("out", ["t.csv", "./t.csv", "link.csv", "run/../t.csv"])
def test_a_file_that_is_read_is_not_written(folder, out):
    said = f"{out} is read by this command, and would be overwritten; choose another --out"
    with pytest.raises(UsageError, match=re.escape(said)):
        check_no_input(out, "--out", ("other.csv", folder / "t.csv"))


@pytest.mark.parametrize("out", ["run/result.json", "linked/config.yaml", "run/checkpoint/state.pt"])
def test_neither_is_a_file_of_a_run(folder, out):
    with pytest.raises(UsageError, match=re.escape(f"{out} belongs to run, which this command reads")):
        check_no_input(out, "--card", ("run",))


def test_neither_is_what_describes_a_folder_of_images(folder):
    with pytest.raises(UsageError, match=r"images/metadata\.csv belongs to images"):
        check_no_input("images/metadata.csv", "--out", ("images",))


@pytest.mark.parametrize("out", ["new.csv", "run/audit.json", "run/new.json", "images/predictions.csv"])
def test_what_was_written_before_is_replaced(folder, out):
    check_no_input(out, "--out", ("run", "images", "t.csv", "-", None, 3, "nowhere.csv"))
