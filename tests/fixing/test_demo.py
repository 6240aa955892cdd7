from functools import partial
from pathlib import Path

import pytest

from fairdistill.errors import RunFolderError
from fairdistill.fixing import demo as demo_module
from fairdistill.fixing.demo import DemoOptions, demo, in_words
from fairdistill.runs.folder import RunFolder


@pytest.fixture
def short_runs(monkeypatch):
    short = partial(demo_module.FixOptions, epochs=6, device="cpu", precision="float32", threads=1, anyway=True)
    monkeypatch.setattr(demo_module, "FixOptions", short)


def test_the_demo_is_a_fix_of_a_model_that_it_trains(short_runs, tmp_path, capsys):
    said = demo(DemoOptions(out=str(tmp_path / "demo")))
    assert {path.parent.name for path in (tmp_path / "demo").glob("*/config.yaml")} == {"teacher", "ss", "mfd-3"}
    assert RunFolder.open(tmp_path / "demo/teacher").config["method"] == "scratch"
    shown = capsys.readouterr().out
    assert "# Recommendation: " in shown
    assert (tmp_path / "demo/recommendation.md").read_text() in shown + "\n"
    assert f"the model reads {100 * said['test_before']['metrics']['accuracy']['value']:.0f}% of the digits" in shown
    assert Path(said["deployed"]).name == "teacher"


def test_a_second_demo_says_the_same_and_trains_nothing(short_runs, tmp_path, monkeypatch):
    first = demo(DemoOptions(out=str(tmp_path / "demo")))
    monkeypatch.setattr("fairdistill.fixing.work.train", lambda *_a, **_k: pytest.fail("it is trained already"))
    assert demo(DemoOptions(out=str(tmp_path / "demo"))) == first


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/file").touch()
    with pytest.raises(RunFolderError, match="holds no fix"):
        demo(DemoOptions(out=str(tmp_path / "demo")))


def found(accuracy, deo_a, deo_m):
    return {name: {"value": value} for name, value in {"accuracy": accuracy, "deo_a": deo_a, "deo_m": deo_m}.items()}


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((0.9, 0.1, True), "a gap of 10 points at 90% accuracy: it is fairer and no less accurate"),
        ((0.8, 0.1, True), "it is fairer, at a price in accuracy"),
        ((0.9, 0.2, False), "this time the test set does not show it to be fairer"),
        (None, "Nothing that was tried could be shown to be better"),
    ],
)
def test_the_words_follow_the_numbers(after, verdict):
    accuracy, gap, confirmed = after or (None, None, None)
    said = {
        "test_before": {"metrics": found(0.85, 0.25, 0.5)}, "confirmed": confirmed, "candidates": ["keep", "ss"],
        "test_after": after and {"metrics": found(accuracy, gap, 0.5)},
    }  # fmt: skip
    words = in_words(said)
    assert "reads 85% of the digits" in words
    assert "by 25 percentage points on average" in words
    assert "by 50 for the worst" in words
    assert verdict in words
    assert len(words.splitlines()) == 2
