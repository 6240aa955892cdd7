from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fairdistill.auditing import AuditOptions, AuditResult, ModelChange, audit
from fairdistill.auditing.text import in_words, no_harm, render
from fairdistill.metrics.resampling import Estimate
from fairdistill.metrics.sizing import rows_to_detect
from fairdistill.predictions import Predictions
from fairdistill.text.numbers import interval, percent
from tests.auditing.test_audit import predictions, shifted

QUICK = AuditOptions(draws=500)


def result_of(right: Any, rows: Any = 100, *, against: Predictions | None = None, **changes: Any) -> AuditResult:
    return audit(predictions(right, rows, **changes), options=QUICK, against=against)


def test_a_real_gap_is_said_with_what_chance_gives() -> None:
    result = result_of([[950, 900], [600, 700]], 1000)
    first, second, third, fourth, _ = in_words(result)
    gap = result.deo_a
    assert "the groups differ by 27.5 points" in first  # 35 and 20
    assert f"would show {percent(gap.floor)} [" in first
    assert second.startswith("So the gap is real (p = 0.002)")  # none of 500
    assert f"between {percent(gap.low)} and {percent(gap.high)}" in second
    assert "smallest subgroup has 1,000 samples" in third
    detected = [f"{percent(each.gap)} points ({each.group})" for each in result.sizing.groups]
    assert fourth == (
        "A group that is behind all others in every class is detected in 80% of audits like this one if it is behind "
        f"by at least {detected[0]}, {detected[1]}."
    )


def test_a_gap_within_chance_is_not_called_one() -> None:
    result = result_of([[16, 15], [15, 16]], 20)
    text = " ".join(in_words(result))
    assert "differ by 5.0 points" in text
    assert "This gap is within what chance alone would produce; the true gap could be as large as" in text
    assert "real" not in text
    assert f"as large as {percent(result.deo_a.high)} points" in text


def test_a_line_break_in_a_name_does_not_break_a_line() -> None:
    plain, odd = (
        render(result_of([[0, 95], [80, 90]], [[0, 100], [100, 100]], group_names=(name, "c")))
        for name in ("ab", "a\nb")
    )
    assert odd.count("\n") == plain.count("\n")
    assert r"of a\nb, so the DEO is undefined" in odd
    names = ("c", "a\nb")
    good = predictions([[95, 95], [95, 95]], 100, group_names=names)
    worse = result_of([[95, 95], [50, 50]], 100, against=good, group_names=names)
    assert worse.against is not None
    assert r" of a\nb (-45.0)" in no_harm(worse.against)[0]


def test_rows_needed_are_said() -> None:
    rows = rows_to_detect(0.1, groups=2, classes=2, accuracy=0.8)
    assert 124 < rows < 248  # more than half of what a single class needs, 248: see test_sizing
    assert f"10 points: {rows}." in in_words(result_of([[80, 80], [80, 80]]))[-1]


def test_of_many_groups_the_smallest_and_the_largest_gap_are_said() -> None:
    rows = np.full((7, 2), 200)
    rows[3] = 30
    text = in_words(result_of(rows // 2, rows, group_names=tuple("stuvwxy")))[-2]
    assert text.endswith(" points (v), depending on the group.")
    assert "at least 1" in text


def test_groups_too_small_for_any_gap_are_left_out_or_named() -> None:
    assert (
        in_words(result_of([[1, 1], [1, 1]], 1))[-2] == "The smallest subgroup has 1 sample, too few to detect any gap."
    )
    two = result_of([[1, 0], [100, 100], [100, 100]], [[1, 1], [200, 200], [200, 200]])
    found = {each.group: each.gap for each in two.sizing.groups}
    assert found["x"] > 0.7 > 0.15 > found["y"]


def test_an_empty_cell_is_named_and_nothing_is_claimed() -> None:
    result = result_of([[90, 0], [80, 75]], [[100, 0], [100, 100]])
    undefined, complete = in_words(result)
    assert undefined == "The test set has no sample of b of x, so the DEO is undefined."
    assert complete.startswith("Over the only class with samples of every group (a), DEO_A is 10.0 [")
    assert "undefined" in render(result)
    assert "nan" not in render(result).lower()


def test_many_empty_cells_are_cut_short() -> None:
    rows = np.zeros((3, 6), int)
    rows[0] = 10
    line, complete = in_words(result_of(rows, rows))
    assert complete == "No class has samples of every group."
    assert line.count(" of y") == 6
    assert line.count(" of z") == 2
    assert line.endswith(" and 4 more, so the DEO is undefined.")


def test_a_collapsed_model_is_not_called_fair() -> None:
    result = result_of([[100, 0], [100, 0]], predicted=np.zeros(400, np.int64))
    assert (
        in_words(result)[0]
        == "The model predicts a single class for every sample, so its gap of 0 says nothing about fairness."
    )


BEFORE = replace(predictions([[90, 90], [60, 60]]), where="teacher.csv")


def against(right: Any) -> ModelChange:
    change = result_of(right, against=BEFORE).against
    assert change is not None
    return change


def test_levelling_down_is_called_by_its_name() -> None:
    change = against([[50, 50], [40, 40]])
    lines = no_harm(change)
    assert lines[0].startswith("Significantly worse, corrected for the number of subgroups: a of x (-40.0); b of x")
    assert lines[1] == "0 of 4 subgroups got significantly better."
    assert lines[2].startswith("Levelling down: the gap shrank only because some groups got worse")
    ends = f"[{percent(change.worst_groups_low)}, {percent(change.worst_groups_high)}]"
    assert f"(-20.0 points {ends}, averaged over the classes)" in lines[2]


def test_worst_groups_that_may_have_gained_are_not_said_to_have_gained_nothing() -> None:
    change = against([[60, 60], [60, 60]])  # they did not change, on this test set
    assert change.worst_groups == 0 < change.worst_groups_high
    assert not change.levels_down
    (line,) = no_harm(change)[2:]
    assert line.startswith("Mostly levelling down: 100% [")


@pytest.mark.parametrize("right", [[[90, 89], [60, 60]], [[88, 88], [60, 60]], [[90, 90], [60, 60]]])
def test_a_change_that_may_be_chance_is_not_called_levelling_down(right: list[list[int]]) -> None:
    change = against(right)
    assert not change.shrank
    assert not any("evelling down" in line for line in no_harm(change))


def test_a_change_whose_significance_is_unknown_is_not_called_levelling_down() -> None:
    change = against([[50, 50], [40, 40]])
    unknown = replace(change, deo_a=replace(change.deo_a, high=math.nan))
    assert change.shrank
    assert change.levels_down
    assert not any("evelling down" in line for line in no_harm(unknown))


def test_a_gap_that_mostly_shrinks_from_above_is_called_so() -> None:
    change = against([[70, 70], [65, 65]])  # 20 of 25 points
    assert 0.5 < change.share_levelled_down_low < 0.8 < change.share_levelled_down_high
    lines = no_harm(change)
    shown = f"[{percent(change.share_levelled_down_low, 0)}, {percent(change.share_levelled_down_high, 0)}]"
    assert lines[-1].startswith(f"Mostly levelling down: 80% {shown} of the reduction")
    assert not any(line.startswith("Levelling down") for line in lines)
    unsure = no_harm(replace(change, share_levelled_down_low=0.4))
    assert unsure[-1].startswith("Possibly levelling down: 80% [40, ")


def test_a_gap_that_shrinks_from_below_is_no_levelling_down() -> None:
    lines = no_harm(against([[90, 90], [85, 85]]))
    assert lines == [
        "No subgroup got significantly worse. Harm to a very small subgroup could go undetected.",
        "2 of 4 subgroups got significantly better.",
    ]


def test_a_gap_that_stays_though_all_fall_is_no_levelling_down() -> None:
    lines = no_harm(
        audit(predictions([[70, 70], [60, 60]]), options=QUICK, against=predictions([[80, 80], [70, 70]])).against
    )
    assert not any("evelling down" in line for line in lines)


def test_many_harmed_cells_are_cut_short() -> None:
    before, after = predictions([[100] * 6] * 3), predictions([[50] * 6] * 3)
    (line, *_) = no_harm(audit(after, options=QUICK, against=before).against)
    assert line.count("(-50.0)") == 12
    assert line.endswith(" and 6 more.")


def test_an_audit_is_rendered_with_every_part() -> None:
    shift = np.array([[0.0, 0.0], [1.5, 0.0]])
    test, validation = (shifted(1000, shift, seed=seed, classes=2) for seed in (0, 1))
    result = audit(test, options=AuditOptions(draws=500, max_deo_a=0.01, max_deo_m=0.99), against=validation_like(test),
                 validation=validation)  # fmt: skip
    text = render(result)
    assert text.startswith("seed 0: 1,000 samples, 2 classes, 2 groups\n")
    for title in ("Accuracy", "Balanced accuracy", "Class-balanced accuracy", "Worst group", "Worst subgroup",
                  "DEO_A", "DEO_M",
                  "Demographic parity difference", "Equalized odds difference", "Calibration error"):  # fmt: skip
        assert any(line.startswith(title) for line in text.splitlines())
    gap = result.deo_a
    (row,) = [line.split() for line in text.splitlines() if line.startswith("DEO_A") and "[" in line][:1]
    assert row[1] == percent(gap.value)
    assert "Limit DEO_A <= 1.0%: exceeded" in text
    assert "Limit DEO_M <= 99.0%: met" in text
    assert "Change against other" in text
    assert "group thresholds" in text
    assert "group logit adjustment" in text
    for line in in_words(result):
        assert line in text


def validation_like(test: Predictions) -> Predictions:
    """Another model on the same rows."""
    return replace(test, where="other", predicted=np.where(np.arange(len(test)) % 10 == 0, 0, test.predicted))


def test_shared_pictures_and_unknown_groups_are_said_in_the_heading() -> None:
    table = predictions([[90, 70], [80, 75]])
    table = replace(table, sources=np.arange(400) // 2, groups=np.where(np.arange(400) < 3, -1, table.groups))
    assert render(audit(table, options=QUICK)).splitlines()[0] == (
        "t.csv: 400 samples, from 200 independent pictures or people, 3 without a group label, 2 classes, 2 groups"
    )


@pytest.mark.parametrize("unknown", [0, 3])
def test_without_probabilities_no_calibration_is_shown(unknown: int) -> None:
    table = predictions([[90, 70], [80, 75]], probabilities=False)
    table = replace(table, groups=np.where(np.arange(400) < unknown, -1, table.groups))
    text = render(audit(table, options=QUICK))
    assert ("Accuracy, class-balanced accuracy and the table of classes count all 400 samples" in text) is (unknown > 0)
    assert "alibration" not in text


def test_an_undecided_limit_says_that_the_data_cannot_tell() -> None:
    result = audit(predictions([[16, 15], [15, 16]], 20), options=AuditOptions(draws=500, max_deo_a=0.05))
    text = render(result)
    assert "Limit DEO_A <= 5.0%: undecided: these data cannot tell; it is at least 0.0% and at most" in text
    assert f"at most {percent(result.deo_a.at_most)}%, each with 95% confidence." in text


def test_a_limit_says_which_end_decides_and_how_sure_that_is() -> None:
    table = predictions([[950, 950], [700, 700]], 1000)
    result = audit(table, options=AuditOptions(draws=500, confidence=0.9, max_deo_a=0.1, max_deo_m=0.5))
    least, most = percent(result.deo_a.at_least), percent(result.deo_m.at_most)
    text = render(result)
    assert f"Limit DEO_A <= 10.0%: exceeded: with 90% confidence it is at least {least}%." in text
    assert f"Limit DEO_M <= 50.0%: met: with 90% confidence it is at most {most}%." in text


def test_an_undefined_change_is_said_so() -> None:
    table = predictions([[90, 0], [80, 75]], [[100, 0], [100, 100]])
    text = render(audit(table, options=QUICK, against=table))
    assert "nan" not in text.lower()
    assert any(line.split() == ["DEO_A", "undefined"] for line in text.splitlines())


@pytest.mark.parametrize(("value", "shown"), [(0.1234, "12.3"), (0.0, "0.0"), (1.0, "100.0"), (None, "undefined"),
                                              (math.nan, "undefined")])  # fmt: skip
def test_percent(value: float | None, shown: str) -> None:
    assert percent(value) == shown
    end = math.nan if value is None else value
    assert interval(Estimate(value=end, low=end, high=end)) == ("" if shown == "undefined" else f"[{shown}, {shown}]")


def test_a_real_gap_is_not_said_to_start_at_nothing() -> None:
    result = result_of([[90, 70], [60, 50]])
    low = replace(result.deo_a, low=1e-4)
    tiny = replace(result, metrics=replace(result.metrics, deo_a=low))
    assert f"points, between {percent(result.deo_a.low)} and" in render(result)
    assert f"points, at most {percent(low.high)}." in render(tiny)
