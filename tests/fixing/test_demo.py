from __future__ import annotations

import contextlib
import io
import sys
from functools import partial
from pathlib import Path

import pytest

from fairdistill.cli import main
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.fixing import DemoOptions, FixOptions, demo
from fairdistill.fixing.demo_text import farewell, in_short
from fairdistill.runs import RunFolder
from tests.fixing.conftest import search_quickly
from tests.fixing.making import FAIRER, SLIGHTLY, fix_result

SHORT = partial(FixOptions, epochs=8, device="cpu", precision="float32", threads=1)


def shorten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys.modules["fairdistill.fixing.demo"], "FixOptions", SHORT)
    patch.setattr(sys.modules["fairdistill.fixing.demo"], "_STUDENTS", 1)
    search_quickly(patch)


@pytest.fixture
def short_runs(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory):
    """The folder of a demo, and what the command printed."""
    out = tmp_path_factory.mktemp("demo") / "demo"
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as shown:
        shorten(patch)
        assert main(["demo", "--out", str(out)]) == 0
    return out, shown.getvalue()


def test_the_demo_is_a_fix_of_a_model_that_it_trains(demonstrated):
    out, shown = demonstrated
    assert RunFolder.open(out / "teacher").config["method"] == "scratch"
    assert {path.parent.name for path in out.glob("students/*/config.yaml")} == {"ss-short", "ss"}
    assert shown.startswith("Handwritten digits on grey or coloured paper.")
    assert (out / "recommendation.md").read_text() in shown
    assert "Of 100 test images labelled " in shown
    assert f"Open {out}/report.html" in shown
    assert (out / "report.html").exists()


def test_a_second_demo_says_the_same_and_trains_nothing(short_runs, demonstrated, monkeypatch):
    out, shown = demonstrated
    monkeypatch.setattr(
        "fairdistill.fixing.students.runs.train", lambda *_a, **_k: pytest.fail("it is trained already")
    )
    monkeypatch.setattr(
        "fairdistill.fixing.students.runs.resume", lambda *_a, **_k: pytest.fail("it is trained already")
    )
    again = demo(options=DemoOptions(out=str(out)))
    first = shown[shown.index("# ") :].splitlines()
    assert again.text().splitlines()[:3] == first[:3], "the verdict, and who is treated worst"
    table = [line for line in first if line.startswith("| DEO_A, ")]
    assert table == [line for line in again.text().splitlines() if line.startswith("| DEO_A, ")]
    assert in_short(again) in shown
    assert Path(again.deployed).name == "teacher"


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/file").touch()
    with pytest.raises(RunFolderError, match="does not contain a fix"):
        demo(out=str(tmp_path / "demo"))


def test_an_option_that_the_demo_does_not_have_is_refused(tmp_path):
    with pytest.raises(UsageError, match="DemoOptions has no option 'seeds'; did you mean 'seed'"):
        demo(seeds=1)


def test_the_words_follow_the_numbers():
    words = in_short(fix_result(after=FAIRER))
    assert words.splitlines() == [
        "In short: the model recognizes 68% of the digits, but the same digit is recognized 28 percentage points more "
        "often on one paper than on the other.",
        "With the recommended model it is 4 points, and 79% of the digits are recognized.",
    ]
    for result in (fix_result(), fix_result(after=SLIGHTLY)):
        assert in_short(result).endswith("\nNo other model was proven to be better.")


def test_the_farewell_names_the_report():
    assert farewell("out").startswith("Open out/report.html for all of this with pictures.\n")
