from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fairdistill.data.own.paths import check_located, common_folder, locate, moved, relative
from fairdistill.errors import DataError

E_AND_ACCENT = "Zoe\u0301"  # as macOS writes it; others write one letter
FILES = ["faces/a b%.jpg", "faces/a.jpg", "faces/b.JPG", "faces/c.d.png", "faces/two.jpg", "faces/two.png", "e f.jpg"]
FILES.append(f"{E_AND_ACCENT}/e\u0301.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "data"


MEANT = [
    ("faces/a.jpg", "faces/a.jpg", None),
    (" faces/a.jpg\t", "faces/a.jpg", "without blanks at the ends"),
    ("faces\\a.jpg", "faces/a.jpg", "with slashes for backslashes"),
    (".\\faces\\a.jpg ", "faces/a.jpg", "with slashes for backslashes and without blanks at the ends"),
    ("faces/b.jpg", "faces/b.JPG", "ignoring the case of letters"),
    ("faces/a.JPG", "faces/a.jpg", "ignoring the case of letters"),
    ("Faces/A.jpg", "faces/a.jpg", "ignoring the case of letters"),
    ("faces/a", "faces/a.jpg", "with .jpg appended"),
    ("faces/b", "faces/b.JPG", "with .JPG appended"),
    ("faces/c.d", "faces/c.d.png", "with .png appended"),
    ("faces\\a", "faces/a.jpg", "with slashes for backslashes and with .jpg appended"),
    ("e f", "e f.jpg", "with .jpg appended"),
    ("Zo\u00e9/\u00e9.png", f"{E_AND_ACCENT}/e\u0301.png", "in another Unicode form of the same letters"),
    ("Zo\u00e9/\u00e9", f"{E_AND_ACCENT}/e\u0301.png", "with .png appended"),
    ("faces/a%20b%25.jpg", "faces/a b%.jpg", "with %20 and the like decoded"),
    ("faces/a b%.jpg", "faces/a b%.jpg", None),
]


@pytest.mark.parametrize(("written", "meant", "how"), MEANT, ids=[repr(written) for written, _, _ in MEANT])
def test_a_path_is_read_as_it_was_meant_and_the_note_says_so(folder, written, meant, how):
    located = locate(np.array([written], object), folder)
    assert located.names.tolist() == [meant]
    assert not len(located.missing)
    assert located.notes == (
        () if how is None else (f"1 image path was read {how} (for example {written!r} as {meant})",)
    )


@pytest.mark.parametrize("written", ["faces/two", "faces/none.jpg", "none/a.jpg", "..\\x.jpg", " ", "faces/a.png"])
def test_what_could_be_two_files_or_none_is_missing(folder, written):
    assert locate(np.array([written], object), folder).missing.tolist() == [written]


def message(names: list[str], folder: Path, *, skip: bool = False) -> str:
    with pytest.raises(DataError) as caught:
        check_located(locate(np.array(names, object), folder), folder, where="t.csv", skip=skip)
    return str(caught.value)


def test_the_first_three_missing_files_and_the_folder_are_named(folder):
    shown = message(["faces/a.jpg", *(f"{n}.jpg" for n in range(5))], folder)
    assert f"t.csv: 5 of 6 images do not exist in {folder}: 0.jpg, 1.jpg, 2.jpg and 2 more" in shown
    assert "--data-root" in shown
    assert "--skip-broken" in shown


def test_the_folder_where_they_exist_is_suggested(folder):
    assert f"they exist in {folder / 'faces'}, so pass --data-root {folder / 'faces'}" in message(
        ["a.jpg", "b"], folder
    )
    assert f"so pass --data-root {folder}" in message(["faces/a.jpg"], folder / "faces")


def test_another_extension_is_suggested_and_not_taken(folder):
    shown = message(["faces/a.png", "faces/b.gif"], folder)
    assert "--data-root" in shown  # they have two extensions
    assert "files with the extension .jpg exist instead" in message(["faces/a.png"], folder)


def test_leading_zeros_that_were_dropped_are_suggested(tmp_path):
    (tmp_path / "faces").mkdir()
    for number in (7, 12, 0):
        (tmp_path / f"faces/{number:05d}.jpg").touch()
    for folder in (tmp_path, tmp_path / "faces"):
        said = f"{tmp_path / 'faces'} has 00007.jpg for 7, so a spreadsheet seems to have dropped leading zeros; write"
        assert said in message(["7", "12", "0"], folder)
    assert "00012.jpg for 12.jpg" in message(["12.jpg"], tmp_path / "faces")
    assert "dropped leading zeros" not in message(["8"], tmp_path)
    (tmp_path / "faces/007.jpg").touch()
    assert "dropped leading zeros" not in message(["7"], tmp_path)  # which of two?


def test_missing_files_that_are_skipped_are_a_note_unless_all_are_missing(folder):
    located = locate(np.array(["faces/a.jpg", "x.jpg"], object), folder)
    notes = check_located(located, folder, where="t.csv", skip=True)
    assert notes == (f"1 of 2 images does not exist in {folder}: x.jpg",)
    assert "1 of 1 images does not exist" in message(["x.jpg"], folder, skip=True)


def test_paths_are_relative_to_a_root_or_outside_it():
    assert relative("a/b.png", "/data/") == "a/b.png"
    assert relative("./a/../b.png", "/data/") == "b.png"
    assert relative("/data/a.png", "/data/") == "a.png"
    assert relative("../a.png", "/data/") is None
    assert relative("/database/a.png", "/data/") is None


def test_the_folder_of_absolute_paths_must_hold_all_of_them_and_exist(folder):
    assert common_folder([f"{folder}/faces/a.jpg", f"{folder}/e f.jpg"], "/") == folder
    assert common_folder([f"{folder}/faces/a.jpg"], "/") == folder / "faces"
    assert common_folder([f"{folder}/faces/a.jpg", "b.jpg"], "/") is None
    assert common_folder([f"{folder}/none/a.jpg"], "/") is None


def test_the_folder_of_paths_that_all_lead_out_is_found_too(folder):
    start = f"{folder}/faces"
    assert common_folder(["../e f.jpg", "./../faces/a.jpg"], start) == folder
    assert common_folder(["../e f.jpg", "a.jpg"], start) is None
    assert common_folder(["../e f.jpg", f"{folder}/faces/a.jpg"], start) is None


def test_the_files_of_absolute_paths_of_another_machine_are_found_nearby(folder):
    written = ["/mnt/old/faces/a.jpg", "/mnt/old/faces/two.png"]
    assert moved(written, folder).endswith(f"in {folder}, so replace /mnt/old by that")
    assert moved(["/mnt/old/faces/a.jpg"], folder / "faces").endswith(
        f"in {folder / 'faces'}, so replace /mnt/old/faces by that"
    )
    assert moved(["/mnt/old/faces/none.jpg"], folder) == ""
    assert moved(["../faces/a.jpg"], folder) == ""


def test_the_files_of_a_windows_machine_are_found_nearby(folder):
    written = ["C:\\Users\\me\\faces\\a.jpg", "C:\\Users\\me\\faces\\two.png"]
    assert f"the same files seem to be in {folder}, so replace C:\\Users\\me by that" in message(written, folder)
    assert "--data-root" in message(["C:\\Users\\me\\none.jpg"], folder)
