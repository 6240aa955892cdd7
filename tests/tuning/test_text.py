from __future__ import annotations

from dataclasses import replace

from fairdistill.metrics import Scores
from fairdistill.tuning.text import markdown_page, render
from tests.tuning.making import result, trial


def test_the_text_shows_trials_choice_and_both_sets():
    lines = render(result()).splitlines()
    assert lines[0] == "mfd on faces.csv: mfd.strength 0.5 to 40 (log); 1,234 validation samples, seed 3"
    rows = {line.split()[0]: " ".join(line.split()) for line in lines if line}
    assert rows["0"] == "0 0.5 90.00 20.00 40.00 finished front"
    assert rows["1"] == "1 1.5 85.00 10.00 20.00 finished front, chosen"
    assert rows["2"] == "2 4.5 80.00 15.00 30.00 finished"
    assert rows["3"] == "3 13.5 50.00 40.00 80.00 stopped early at step 30, beaten by trial 0"
    assert rows["4"] == "4 40.5 failed"
    assert rows["teacher"] == "teacher 80.00 30.00 50.00"
    assert rows["Chosen:"] == "Chosen: trial 1, the lowest DEO_A. Run folder: study/trial-1"
    assert "validation (n = 1,234) test (n = 5,000)" in " ".join(render(result()).split())
    assert rows["DEO_A"] == "DEO_A 10.00% 12.00% 30.00% 31.00%"


def test_the_balanced_accuracy_is_shown_if_the_rule_or_the_front_is_of_it():
    for changes in (
        {"rule": "deo_a subject to balanced_accuracy >= 0.5"}, {"objectives": ("balanced_accuracy", "deo_a")},
    ):  # fmt: skip
        trials = (replace(trial(0, 0.9, 0.2), validation=Scores(0.9, 0.2, 0.4, balanced_accuracy=0.75)), trial(1, 0.8))
        lines = render(result(trials=trials, **changes)).splitlines()
        rows = {line.split()[0]: " ".join(line.split()) for line in lines if line}
        assert "Accuracy Balanced accuracy DEO_A DEO_M State" in rows["Trial"]
        assert rows["0"] == "0 0.5 90.00 75.00 20.00 40.00 finished front"
        assert rows["1"] == "1 1.5 80.00 undefined 0.00 0.00 finished front, chosen"


def test_what_is_not_known_is_said():
    open_ = result(teacher=None, test=None, closed=None, notes=("The test set is unread",))
    shown = " ".join(render(open_).split())
    assert "Accuracy 85.00% not read" in shown
    assert "The test set is unread." in shown
    assert "closed" not in shown
    waiting = result(
        teacher=None, test=None, closed=None, chosen=None, front=(), trials=(trial(0, None, state="in hand"),)
    )
    assert "No trial has been chosen yet. The rule: the lowest DEO_A." in render(waiting)
    assert " ".join(render(waiting).splitlines()[4].split()) == "0 0.5 running"


def test_markdown_says_the_same():
    page = markdown_page(result())
    assert page.startswith("# mfd on faces.csv: mfd.strength")
    assert "| 1 | 1.5 | 85.00 | 10.00 | 20.00 | finished | front, chosen |" in page
    assert "| Accuracy | 85.00% | 84.00% | 80.00% | 79.00% |" in page


def test_a_result_shows_itself():
    assert str(result()) == result().text() == render(result())
