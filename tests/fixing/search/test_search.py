from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairdistill.choosing import parse_rule
from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.search import Search, changes_in_words
from fairdistill.heads import Head, HeadFit
from fairdistill.predictions.trained.source import ModelSource
from tests.fixing.making import predictions
from tests.fixing.networks import work_of

OWN = ((60, 100), (90, 100), (90, 100), (90, 100))  # balanced accuracy 82.5%, DEO_A 15 points


def named(name, counts, family="head", **changes):
    return Candidate(name=name, family=family, description="it", validation=predictions(counts), **changes)


def gap(points, accuracy=90):
    """A model whose groups differ by some points in one class."""
    return ((accuracy - points, 100), (accuracy, 100), (accuracy, 100), (accuracy, 100))


@pytest.fixture
def search(tmp_path):
    return Search(work_of("two_logits", tmp_path), named(KEEP, OWN, "deployed"))


def test_the_best_head_of_a_name_stays_and_every_one_is_a_point(search):
    for points in (20, 10, 14):
        search.add(named("fair head", gap(points)))
    (kept,) = search.of("head")
    assert kept.measures["deo_a"] == pytest.approx(0.05)
    assert [point.measures["deo_a"] for point in search.points] == pytest.approx([0.15, 0.1, 0.05, 0.07])
    assert search.best is kept


def fitted(on):
    head = Head(torch.zeros(2, 3), torch.zeros(2))
    return HeadFit("fair", {}, on, head, torch.zeros(400, 2), 1.0)


def test_heads_fitted_to_other_images_can_be_left_out(search):
    search.add(named("fair head", gap(4), head=fitted("validation")))
    search.add(named("part of the way to fair head", gap(3), "line", head=fitted("validation")))
    search.add(named("fair head", gap(8), head=fitted("train")))
    assert len(search.of("head")) == 1, "one of each name is shown"
    assert search.best.family == "line"
    search.leave_out("validation")
    assert search.of("line") == []
    assert search.best.measures["deo_a"] == pytest.approx(0.04)
    assert len(search.points) == 4


def test_a_student_is_as_its_file_is_now(search):
    search.add(named("ss", gap(4), "student"))
    search.add(named("ss", gap(8), "student"))
    assert search.best.measures["deo_a"] == pytest.approx(0.04)
    assert len(search.points) == 3
    constant = named("ss", OWN, "student")
    search.add(replace(constant, validation=replace(constant.validation, predicted=np.zeros(400, np.int64))))
    assert search.of("student") == []


def test_a_model_that_breaks_the_rule_or_predicts_one_class_is_not_the_best(search):
    search.add(named("weak", gap(2, accuracy=70)))
    constant = named("constant", OWN)
    search.add(replace(constant, validation=replace(constant.validation, predicted=np.zeros(400, np.int64))))
    assert search.best is search.deployed
    assert search.standing(search.of("head")[0])[0] != 0
    assert search.notes == ["constant predicts a single class, so it cannot be chosen"]


def test_what_needs_the_group_is_chosen_only_if_it_is_known_at_use(search):
    search.add(named("thresholds", gap(0), "correction", adjust=lambda seen: seen))
    assert search.best is search.deployed
    search.work = replace(search.work, options=replace(search.work.options, group_at_use=True))
    assert search.best.name == "thresholds"


def test_of_lines_only_the_best_are_shown(search):
    for name, points in (("a", 9), ("b", 3), ("c", 6)):
        search.add(named(f"part of the way to {name}", gap(points), "line"))
    search.add(named("ss", gap(8), "student"))
    search.add(named("fair head", gap(7)))
    search.add(named("offsets", gap(7), "correction"))
    assert [each.name for each in search.table()] == ["keep", "offsets", "fair head", "part of the way to b", "ss"]


def test_improvements_are_announced_once_with_the_file_and_nothing_else_is(search, capsys):
    source = ModelSource(path="out/students/ss")
    search.announce()
    search.add(named("ss", gap(6), "student", source=source))
    search.announce()
    search.announce()
    search.add(named("mfd", gap(8), "student", source=source))
    search.announce()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("s: ss: balanced accuracy 82.5 -> 88.5, DEO_A 15.0 -> 3.0 on validation; out/students/ss")
    so_far = json.loads((search.work.out / "so-far.json").read_text())
    assert (so_far["name"], so_far["file"]) == ("ss", "out/students/ss")
    assert so_far["validation"]["deo_a"] == pytest.approx(0.03)
    assert search.first_seconds is not None


def test_the_metric_of_the_rule_is_shown_too():
    before, after = named("a", OWN).measures, named("b", gap(10)).measures
    words = changes_in_words(parse_rule("worst_subgroup subject to deo_m <= 0.2"), before, after)
    assert words == "balanced accuracy 82.5 -> 87.5, DEO_A 15.0 -> 5.0, worst_subgroup 60.0 -> 80.0"
    assert "deo_a," not in changes_in_words(parse_rule("deo_a"), before, after)
