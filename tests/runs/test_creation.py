from __future__ import annotations

import pytest

from fairdistill.errors import RunFolderError
from fairdistill.runs import check_new_folder, new_folder


def test_a_folder_that_is_missing_or_empty_can_be_made(tmp_path):
    check_new_folder(tmp_path, kind="study")
    check_new_folder(tmp_path / "a/b", kind="study")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "full"])
def test_one_that_holds_something_else_is_refused(name, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full/inner").mkdir(parents=True)
    with pytest.raises(RunFolderError, match=f"{name} already exists and does not contain a study; choose another fol"):
        check_new_folder(tmp_path / name, kind="study")


def test_one_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_args: False)
    with pytest.raises(RunFolderError, match=f"cannot write in {tmp_path}"):
        check_new_folder(tmp_path / "study", kind="study")


def test_a_folder_appears_when_it_is_whole(tmp_path):
    with new_folder(tmp_path / "a/study") as part:
        (part / "file").write_text("content")
        assert not (tmp_path / "a/study").exists()
    assert (tmp_path / "a/study/file").read_text() == "content"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["study"]


def test_nothing_is_left_of_one_that_fails(tmp_path):
    with pytest.raises(ValueError, match="it fails"), new_folder(tmp_path / "study"):
        raise ValueError("it fails")
    assert list(tmp_path.iterdir()) == []


def test_of_two_processes_the_first_makes_it(tmp_path):
    making = new_folder(tmp_path / "study")
    making.__enter__()
    (tmp_path / "study").mkdir()
    (tmp_path / "study/first").touch()
    with pytest.raises(RunFolderError, match=r"cannot create .*study: Directory not empty"):
        making.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
