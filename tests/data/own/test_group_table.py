from __future__ import annotations

from pathlib import Path

import pytest

from fairdistill.data.own.folder import read_rows
from fairdistill.data.own.options import FolderOptions
from fairdistill.data.rows import Rows
from fairdistill.errors import DataError, UsageError
from tests.data.own.test_folder import make

FILES = ["cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png"]


def read(folder: Path, text: str, **options: object) -> Rows:
    make(folder, FILES)
    (folder / "groups.csv").write_text(text)
    return read_rows(folder, FolderOptions(group_table=str(folder / "groups.csv"), **options))


def test_groups_may_be_ranges_and_sources_have_a_column(tmp_path):
    text = "image,age,who\ncat/1.png,12,p\ncat/2.png,n/a,q\ndog/3.png,50,p\n"
    rows = read(tmp_path, text, group="age", bin={"age": "20"}, unknown="n/a", source="who")
    assert (rows.groups.tolist(), rows.group_names) == ([0, -1, 1, -1], ("<20", ">=20"))
    assert rows.sources is not None
    assert rows.sources.tolist() == ["p", "q", "p", ""]
    assert any("come from 2 sources (column 'who')" in note for note in rows.notes)


def test_a_file_listed_twice_must_agree_with_itself(tmp_path):
    text = "image,group,who\ncat/1.png,x,p\ncat/1.png,x,{}\ncat/2.png,y,p\n"
    assert read(tmp_path, text.format("p"), source="who").groups.tolist() == [0, 1, -1, -1]
    with pytest.raises(DataError, match=r"row 3: cat/1\.png has source 'q' here but 'p' above"):
        read(tmp_path, text.format("q"), source="who")
    with pytest.raises(DataError, match=r"row 3: cat/1\.png has group 'z' here but 'x' above"):
        read(tmp_path, text.format("p").replace("x,p", "z,p", 2).replace("z,p", "x,p", 1))


def test_a_name_of_files_in_several_folders_needs_its_folder(tmp_path):
    make(tmp_path, ["dog/1.png"])
    for groups in ("xy", "xx"):
        with pytest.raises(DataError, match=r"1\.png.* \(perhaps cat/1\.png or dog/1\.png\)"):
            read(tmp_path, f"image,group\n1.png,{groups[0]}\n1.png,{groups[1]}\n")


def test_look_alikes_are_noted(tmp_path):
    rows = read(tmp_path, "image,group\ncat/1.png,x\ncat/2.png,X\ndog/3.png,?\n")
    assert ["look" in note or "differ only in upper" in note for note in rows.notes[1:]] == [True, False]
    assert rows.notes[2].endswith("add --unknown '?'")


@pytest.mark.parametrize("options", [{"source": "who"}, {"bin": {"age": "20"}}])
def test_options_of_a_table_need_one(options):
    with pytest.raises(UsageError, match=f"--{next(iter(options))} applies only to --group-table"):
        FolderOptions(**options)


def test_group_folders_are_looked_at_too(tmp_path):
    make(tmp_path, ["cat/x/1.png", "cat/X/2.png", "dog/x/3.png", "dog/unknown/4.png", "Dog/y/5.png"])
    rows = read_rows(tmp_path, FolderOptions())
    assert [note.split(",")[0] for note in rows.notes] == [
        "In the class folders",
        "In the group folders",
        "In the group folders",
    ]
    rows = read_rows(tmp_path, FolderOptions(unknown="unknown,n/a"))
    assert rows.group_names == ("X", "x", "y")
    assert sorted(rows.groups.tolist()) == [-1, 0, 1, 1, 2]
    assert rows.notes[-1] == "No row has the group 'n/a' that --unknown names"


def test_paths_in_the_table_are_read_as_they_were_meant(tmp_path):
    rows = read(tmp_path, "image,group\ncat/1,x\ncat\\2.png,y\n dog/3.PNG,x\n")
    assert rows.groups.tolist() == [0, 1, 0, -1]
    assert any("1 image path was read with .png appended" in note for note in rows.notes)
