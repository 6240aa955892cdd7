from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from fairdistill.auditing import AuditOptions
from fairdistill.contract import check_named, check_new_file, check_types, given_path, listed_paths
from fairdistill.errors import UsageError
from fairdistill.runs import RunFolder
from tests.own_losses import Small, ready


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


class Outer:
    class Inner:
        pass


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Small, "a class; name it: method='tests.own_losses:Small'"),
        (check_named, "a function; name it: method='fairdistill.contract.checks:check_named'"),
        (
            ready,
            "an object of type Small; put it into a module, such as my_code.py, and name it: method='my_code:NAME'",
        ),
        (Outer.Inner, "a class; put it into a module, such as my_code.py, and name it: method='my_code:Inner'"),
        (3, "3"),
        (["ss"], "['ss']"),
    ],
)
def test_code_in_place_of_its_name_is_answered_with_how_to_name_it(given, said):
    with pytest.raises(UsageError, match=f"^{re.escape(f'expected method to be a text, but got {said}')}"):
        check_named("method", given)
    check_named("method", "ss")


def test_options_that_name_code_say_so_and_others_do_not():
    @dataclass
    class Options:
        method: str
        model: str | None = None
        device: str = "cpu"

    check_types(Options("ss"))
    with pytest.raises(UsageError, match=r"name it: method='tests\.own_losses:Small'"):
        check_types(Options(method=Small))
    with pytest.raises(UsageError, match="name it: model='my_code:NAME'"):
        check_types(Options("ss", model=ready))
    with pytest.raises(UsageError, match=r"expected device to be a text, but got 3$"):
        check_types(Options("ss", device=3))


def test_what_belongs_to_the_class_is_no_option():
    @dataclass
    class Options:
        heading: ClassVar[str] = "Output"
        out: str = "report.html"

    check_types(Options())
    with pytest.raises(UsageError, match="expected out to be a text"):
        check_types(Options(out=3))


@pytest.mark.parametrize(
    "given", ["https://host/t.csv", "s3://bucket/t.csv", "file:///home/t.csv", "C:/t.csv", "a//b.csv"]
)
def test_an_address_is_no_path(given):
    @dataclass
    class Options:
        data: str | None = None
        storage: str | None = None

    check_types(Options(storage=given))
    checks = (lambda: check_types(Options(data=given)), lambda: given_path("source", given))
    for check in checks:
        if "://" in given:
            with pytest.raises(UsageError, match=f"^{given} is an address; "):
                check()
        else:
            check()


def test_a_frame_in_place_of_a_path_is_told_how_to_be_one():
    with pytest.raises(UsageError, match=r"source to be a path, but got a DataFrame; write it .*: \.to_csv\("):
        given_path("source", pd.DataFrame({"label": [0]}))
    with pytest.raises(UsageError, match=r"^expected source to be a path, but got \[0, 1, 2, 3, 4, 5, \.\.\.\]$"):
        given_path("source", list(range(1000)))
    with pytest.raises(UsageError, match=r"^expected source to be a path, but got an empty text$"):
        given_path("source", " ")


@pytest.mark.parametrize(("given", "several"), [(["ss", "mfd"], "ss,mfd"), (range(3), "0,1,2"), ((0,), "0")])
def test_a_list_in_place_of_a_text_is_told_how_to_be_one(given, several):
    with pytest.raises(UsageError, match=f"expected label to be a text, but got .*; write several as '{several}'"):
        AuditOptions(label=given)


def test_a_path_in_an_option_becomes_a_text():
    @dataclass(frozen=True)
    class Options:
        out: str | None = None
        init: str = "scratch"
        steps: int = 1

    options = Options(out=RunFolder(Path("runs/mfd")), init=Path("weights.pt"))
    check_types(options)
    assert (options.out, options.init) == (str(Path("runs/mfd")), "weights.pt")
    with pytest.raises(UsageError, match="expected steps to be a whole number"):
        check_types(Options(steps=Path("3")))


def test_numbers_and_texts_of_numpy_become_pythons():
    @dataclass(frozen=True)
    class Options:
        lr: float | None = None
        steps: int = 1
        method: str = "ss"
        exif: bool = False
        set: Mapping[str, float] = field(default_factory=dict)

    given = Options(np.float64(0.5), np.int64(3), np.str_("mfd"), np.bool_(True), {"a": 1.5, "b": np.float32(0.25)})
    check_types(given)
    assert repr(given).endswith("Options(lr=0.5, steps=3, method='mfd', exif=True, set={'a': 1.5, 'b': 0.25})")
    for options in (Options(steps=np.float64(3)), Options(lr=np.zeros(1)), Options(lr=np.exp)):
        with pytest.raises(UsageError, match=r"to be a (whole )?number, but got "):
            check_types(options)
    with pytest.raises(UsageError, match="expected set to be named values, but got"):
        check_types(Options(set={3: 1.0}))
    plain = {"a": 1.5}
    check_types(kept := Options(set=plain))
    assert kept.set is plain


def test_a_path_stays_as_it_was_given_and_a_run_folder_becomes_one():
    for given in ("runs/mfd", Path("runs/mfd")):
        assert given_path("source", given) is given
    assert given_path("source", RunFolder(Path("runs/mfd"))) == Path("runs/mfd")
    assert listed_paths("run folders", RunFolder(Path("runs/mfd"))) == [Path("runs/mfd")]
    assert listed_paths("run folders", [RunFolder(Path("a")), "b"]) == [Path("a"), "b"]
    with pytest.raises(UsageError, match="expected sources to be run folders, but got none"):
        listed_paths("run folders", [])
