from __future__ import annotations

import re

import pytest

from fairdistill.contract import check_new_file
from fairdistill.errors import UsageError


def test_a_new_file_or_one_to_replace_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "old.json").touch()
    check_new_file(tmp_path / "old.json", "--out")
    monkeypatch.chdir(tmp_path)
    check_new_file("new.json", "--out")


@pytest.mark.parametrize("path", [".", "nowhere/new.json", "old.json/new.json"])
def test_a_folder_and_a_file_in_none_cannot(tmp_path, monkeypatch, path):
    (tmp_path / "old.json").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match=re.escape(f"cannot write {path}; choose a file in an existing folder with --out")
    ):
        check_new_file(path, "--out")


def test_a_folder_that_must_not_be_written_in_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.chdir(tmp_path)
    said = f"cannot write new.json: you may not write in {tmp_path}; choose another file with --card"
    with pytest.raises(UsageError, match=re.escape(said)):
        check_new_file("new.json", "--card")
