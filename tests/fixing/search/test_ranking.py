from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fairdistill.choosing import parse_rule
from fairdistill.fixing.search.candidates import KEEP
from fairdistill.fixing.search.ranking import Ranking
from tests.fixing.making import OWN, fitted, of_gap, searched

RULE = parse_rule("deo_a subject to balanced_accuracy >= deployed - 0.005")


@pytest.fixture
def ranking():
    return Ranking(searched(KEEP, OWN, "deployed"), RULE, group_at_use=False)


def test_the_best_head_of_a_name_stays_and_every_one_is_a_point(ranking):
    for points in (20, 10, 14):
        ranking.add(searched("fair head", of_gap(points)))
    (kept,) = ranking.of("head")
    assert kept.measures["deo_a"] == pytest.approx(0.05)
    assert [point.deo_a for point in ranking.points] == pytest.approx([0.15, 0.1, 0.05, 0.07])
    assert ranking.best is kept


def test_heads_fitted_to_other_images_can_be_left_out(ranking):
    ranking.add(searched("fair head", of_gap(4), head=fitted("validation")))
    ranking.add(searched("part of the way to fair head", of_gap(3), "line", head=fitted("validation")))
    ranking.add(searched("fair head", of_gap(8), head=fitted("train")))
    assert len(ranking.of("head")) == 1, "one of each name is shown"
    assert ranking.best.family == "line"
    ranking.leave_out("validation")
    assert ranking.of("line") == []
    assert ranking.best.measures["deo_a"] == pytest.approx(0.04)
    assert len(ranking.points) == 4


def test_a_student_is_as_its_file_is_now(ranking):
    ranking.add(searched("ss", of_gap(4), "student"))
    ranking.add(searched("ss", of_gap(8), "student"))
    assert ranking.best.measures["deo_a"] == pytest.approx(0.04)
    assert len(ranking.points) == 3
    constant = searched("ss", OWN, "student")
    ranking.add(replace(constant, validation=replace(constant.validation, predicted=np.zeros(400, np.int64))))
    assert ranking.of("student") == []


def test_a_model_that_breaks_the_rule_or_predicts_one_class_is_not_the_best(ranking):
    ranking.add(searched("weak", of_gap(2, accuracy=70)))
    constant = searched("constant", OWN)
    ranking.add(replace(constant, validation=replace(constant.validation, predicted=np.zeros(400, np.int64))))
    assert ranking.best is ranking.deployed
    assert ranking.standing(ranking.of("head")[0])[0] != 0
    assert ranking.notes == ["constant predicts a single class, so it cannot be chosen"]


def test_what_needs_the_group_is_chosen_only_if_it_is_known_at_use(ranking):
    ranking.add(searched("thresholds", of_gap(0), "correction", adjust=lambda seen: seen))
    assert ranking.best is ranking.deployed
    ranking.group_at_use = True
    assert ranking.best.name == "thresholds"


def test_where_no_model_is_better_the_next_by_the_rule_is_promising(ranking):
    assert ranking.promising is None
    ranking.add(searched("weak", of_gap(2, accuracy=70)))
    ranking.add(searched("weaker", of_gap(2, accuracy=60)))
    assert ranking.promising.name == "weak"
    ranking.add(searched("fair head", of_gap(4)))
    assert (ranking.best.name, ranking.promising) == ("fair head", None)


def test_of_lines_only_the_best_are_shown(ranking):
    for name, points in (("a", 9), ("b", 3), ("c", 6)):
        ranking.add(searched(f"part of the way to {name}", of_gap(points), "line"))
    ranking.add(searched("ss", of_gap(8), "student"))
    ranking.add(searched("fair head", of_gap(7)))
    ranking.add(searched("offsets", of_gap(7), "correction"))
    assert [each.name for each in ranking.table()] == ["keep", "offsets", "fair head", "part of the way to b", "ss"]
