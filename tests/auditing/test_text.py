from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fairdistill.auditing.audit import AuditOptions, audit
from fairdistill.auditing.text import in_words, interval, no_harm, percent, render
from fairdistill.predictions.predictions import Predictions
from tests.auditing.test_audit import predictions, shifted

QUICK = AuditOptions(draws=500)


def said_of(right: Any, rows: Any = 100, *, against: Predictions | None = None, **changes: Any) -> dict[str, Any]:
    return audit(predictions(right, rows, **changes), QUICK, against=against)


def test_a_real_gap_is_said_with_what_chance_gives() -> None:
    said = said_of([[950, 900], [600, 700]], 1000)
    first, second, third = in_words(said)
    gap = said["metrics"]["deo_a"]
    assert "the groups differ by 27.5 points" in first  # 35 and 20
    assert f"would show {percent(gap['floor'])} [" in first
    assert second.startswith("So the gap is real (p = 0.002)")  # none of 500
    assert f"between {percent(gap['low'])} and {percent(gap['high'])}" in second
    assert "smallest cell has 1,000 rows" in third


def test_a_gap_within_chance_is_not_called_one() -> None:
    said = said_of([[16, 15], [15, 16]], 20)
    text = " ".join(in_words(said))
    assert "differ by 5.0 points" in text
    assert "cannot tell the gap from none; the true one may be as large as" in text
    assert "real" not in text
    assert f"as large as {percent(said['metrics']['deo_a']['high'])} points" in text


def test_rows_needed_are_said() -> None:
    # 7.8489 * (0.85 * 0.15 + 0.75 * 0.25) / 0.1^2 = 247.2, see test_sizing
    assert "10 points: 248" in in_words(said_of([[80, 80], [80, 80]]))[-1]


def test_an_empty_cell_is_named_and_nothing_is_claimed() -> None:
    said = said_of([[90, 0], [80, 75]], [[100, 0], [100, 100]])
    assert in_words(said) == ["No test row of b of x: the DEO is undefined."]
    assert "undefined" in render(said)
    assert "nan" not in render(said).lower()


def test_many_empty_cells_are_cut_short() -> None:
    rows = np.zeros((3, 6), int)
    rows[0] = 10
    (line,) = in_words(said_of(rows, rows))
    assert line.count(" of y") == 6
    assert line.count(" of z") == 2
    assert line.endswith(" ...: the DEO is undefined.")


def test_a_collapsed_model_is_not_called_fair() -> None:
    said = said_of([[100, 0], [100, 0]], predicted=np.zeros(400, np.int64))
    assert in_words(said)[0] == "Every row is predicted as one class: its gap of 0 says nothing about fairness."


BEFORE = replace(predictions([[90, 90], [60, 60]]), where="teacher.csv")


def against(right: Any) -> dict[str, Any]:
    found: dict[str, Any] = said_of(right, against=BEFORE)["against"]
    return found


def test_levelling_down_is_called_by_its_name() -> None:
    lines = no_harm(against([[60, 60], [60, 60]]))
    assert lines[0] == "Harmed beyond chance, over all cells together: a of x (-30.0); b of x (-30.0)."
    assert lines[1] == "0 of 4 cells are helped beyond chance."
    assert lines[2].startswith("Levelling down: the gap shrank only because somebody got worse")
    assert "(+0.0 points, averaged over classes)" in lines[2]


def test_a_gap_that_mostly_shrinks_from_above_is_called_so() -> None:
    lines = no_harm(against([[70, 70], [65, 65]]))  # 20 of 25 points
    assert lines[-1].startswith("Mostly levelling down: 80% of the smaller gap")
    assert not any(line.startswith("Levelling down") for line in lines)


def test_a_gap_that_shrinks_from_below_is_no_levelling_down() -> None:
    lines = no_harm(against([[90, 90], [85, 85]]))
    assert lines == [
        "No cell is harmed beyond chance; a small cell may be, without these data showing it.",
        "2 of 4 cells are helped beyond chance.",
    ]


def test_a_gap_that_stays_though_all_fall_is_no_levelling_down() -> None:
    lines = no_harm(
        audit(predictions([[70, 70], [60, 60]]), QUICK, against=predictions([[80, 80], [70, 70]]))["against"]
    )
    assert not any("evelling down" in line for line in lines)


def test_many_harmed_cells_are_cut_short() -> None:
    before, after = predictions([[100] * 6] * 3), predictions([[50] * 6] * 3)
    (line, *_) = no_harm(audit(after, QUICK, against=before)["against"])
    assert line.count("(-50.0)") == 12
    assert line.endswith(" and 6 more.")


def test_an_audit_is_rendered_with_every_part() -> None:
    shift = np.array([[0.0, 0.0], [1.5, 0.0]])
    test, validation = (shifted(1000, shift, seed=seed, classes=2) for seed in (0, 1))
    said = audit(test, AuditOptions(draws=500, max_deo_a=0.01, max_deo_m=0.99), against=validation_like(test),
                 validation=validation)  # fmt: skip
    text = render(said)
    assert text.startswith("seed 0: 1,000 rows, 2 classes, 2 groups\n")
    for title in ("Accuracy", "Balanced accuracy", "Worst group", "Worst cell", "DEO_A", "DEO_M",
                  "Demographic parity difference", "Equalised odds difference", "Calibration error"):  # fmt: skip
        assert any(line.startswith(title) for line in text.splitlines())
    gap = said["metrics"]["deo_a"]
    (row,) = [line.split() for line in text.splitlines() if line.startswith("DEO_A") and "[" in line][:1]
    assert row[1] == percent(gap["value"])
    assert "Limit DEO_A <= 1.0%: broken" in text
    assert "Limit DEO_M <= 99.0%: kept" in text
    assert "Change against other" in text
    assert "group thresholds" in text
    assert "group logit adjustment" in text
    for line in in_words(said):
        assert line in text


def validation_like(test: Predictions) -> Predictions:
    """Another model on the same rows."""
    return replace(test, where="other", predicted=np.where(np.arange(len(test)) % 10 == 0, 0, test.predicted))


def test_shared_pictures_and_unknown_groups_are_said_in_the_heading() -> None:
    table = predictions([[90, 70], [80, 75]])
    table = replace(table, sources=np.arange(400) // 2, groups=np.where(np.arange(400) < 3, -1, table.groups))
    assert render(audit(table, QUICK)).splitlines()[0] == (
        "t.csv: 400 rows, of 200 independent pictures or people, 3 of unknown group, 2 classes, 2 groups"
    )


def test_without_probabilities_no_calibration_is_shown() -> None:
    assert "alibration" not in render(said_of([[90, 70], [80, 75]], probabilities=False))


def test_an_undecided_limit_says_that_the_data_cannot_tell() -> None:
    said = audit(predictions([[16, 15], [15, 16]], 20), AuditOptions(draws=500, max_deo_a=0.05))
    assert "Limit DEO_A <= 5.0%: undecided" in render(said)


def test_an_undefined_change_is_said_so() -> None:
    table = predictions([[90, 0], [80, 75]], [[100, 0], [100, 100]])
    text = render(audit(table, QUICK, against=table))
    assert "nan" not in text.lower()
    assert any(line.split() == ["DEO_A", "undefined"] for line in text.splitlines())


@pytest.mark.parametrize(("value", "shown"), [(0.1234, "12.3"), (0.0, "0.0"), (1.0, "100.0"), (None, "undefined"),
                                              (math.nan, "undefined")])  # fmt: skip
def test_percent(value: float | None, shown: str) -> None:
    assert percent(value) == shown
    ends = {"low": value, "high": value}
    assert interval(ends) == ("" if shown == "undefined" else f"[{shown}, {shown}]")
