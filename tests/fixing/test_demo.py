from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fairdistill.auditing import audit
from fairdistill.cli import main
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.fixing import DemoOptions, FixOptions, demo
from fairdistill.fixing.demo_text import farewell, in_short
from fairdistill.runs import RunFolder
from tests.fixing.test_candidates import predictions

SHORT = partial(FixOptions, epochs=6, device="cpu", precision="float32", threads=1, anyway=True)


@pytest.fixture
def short_runs(monkeypatch):
    monkeypatch.setattr(sys.modules["fairdistill.fixing.demo"], "FixOptions", SHORT)


def test_the_demo_is_a_fix_of_a_model_that_it_trains(short_runs, tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert {path.parent.name for path in out.glob("*/config.yaml")} == {"teacher", "ss", "mfd-3"}
    assert RunFolder.open(out / "teacher").config["method"] == "scratch"
    assert shown.startswith("Handwritten digits on grey or coloured paper.")
    assert (out / "recommendation.md").read_text() in shown
    result = demo(options=DemoOptions(out=str(out)))
    assert f"recognizes {100 * result.test_before.accuracy.value:.0f}% of the digits" in shown
    assert in_short(result) in shown
    assert Path(result.deployed).name == "teacher"


def test_a_second_demo_says_the_same_and_trains_nothing(short_runs, tmp_path, monkeypatch):
    first = demo(out=str(tmp_path / "demo"))
    monkeypatch.setattr("fairdistill.fixing.students.train", lambda *_a, **_k: pytest.fail("it is trained already"))
    assert demo(out=str(tmp_path / "demo")) == first


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/file").touch()
    with pytest.raises(RunFolderError, match="does not contain a fix"):
        demo(out=str(tmp_path / "demo"))


def test_an_option_that_the_demo_does_not_have_is_refused(tmp_path):
    with pytest.raises(UsageError, match="DemoOptions has no option 'seeds'; did you mean 'seed'"):
        demo(seeds=1)


@pytest.fixture(scope="module")
def audited():
    audited = audit(predictions(shift=2.0), draws=200)

    def given(accuracy, deo_a, deo_m):
        metrics = replace(audited.metrics, **{
            name: replace(getattr(audited.metrics, name), value=value)
            for name, value in {"accuracy": accuracy, "deo_a": deo_a, "deo_m": deo_m}.items()
        })  # fmt: skip
        return replace(audited, metrics=metrics)

    return given


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((0.9, 0.1, True), "a gap of 10 points at 90% accuracy, so it is fairer and no less accurate."),
        ((0.8, 0.1, True), "so it is fairer, but less accurate."),
        ((0.9, 0.2, False), "but the test set does not confirm that it is fairer."),
        (None, "No candidate was demonstrably better."),
    ],
)
def test_the_words_follow_the_numbers(found, audited, after, verdict):
    accuracy, gap, confirmed = after or (None, None, None)
    result = found(
        test_before=audited(0.85, 0.25, 0.5), confirmed=confirmed,
        test_after=None if after is None else audited(accuracy, gap, 0.5),
    )  # fmt: skip
    words = in_short(result)
    assert "recognizes 85% of the digits" in words
    assert "differs by 25 percentage points on average" in words
    assert "by 50 points for the worst digit" in words
    assert verdict in words
    assert len(words.splitlines()) == 2


def test_the_farewell_names_the_report_if_there_is_one(found):
    assert farewell(found(), "out").startswith("Everything is in out/; open out/report.html for the report.\n")
    assert farewell(found(model=None), "out").startswith("Everything is in out/.\n")
