from __future__ import annotations

import json

import pytest

from fairdistill.choosing import parse_rule
from fairdistill.fixing.search.candidates import KEEP
from fairdistill.fixing.search.search import Search, changes_in_words
from fairdistill.predictions.trained.source import ModelSource
from tests.fixing.making import OWN, fitted, of_gap, searched
from tests.fixing.networks import work_of


@pytest.fixture
def search(tmp_path):
    return Search(work_of("two_logits", tmp_path), searched(KEEP, OWN, "deployed"))


def test_improvements_are_announced_once_with_the_file_and_nothing_else_is(search, capsys):
    source = ModelSource(path="out/students/ss")
    search.announce()
    search.add(searched("ss", of_gap(6), "student", source=source))
    search.announce()
    search.announce()
    search.add(searched("mfd", of_gap(8), "student", source=source))
    search.announce()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("s: ss: balanced accuracy 82.5 -> 88.5, DEO_A 15.0 -> 3.0 on validation; out/students/ss")
    so_far = json.loads((search.work.out / "so-far.json").read_text())
    assert (so_far["name"], so_far["file"]) == ("ss", "out/students/ss")
    assert so_far["validation"]["deo_a"] == pytest.approx(0.03)
    assert search.first_seconds is not None


def test_a_head_that_was_announced_and_is_left_out_counts_no_more(search, capsys):
    search.add(searched("fair head", of_gap(4), head=fitted("validation")))
    search.announce()
    search.leave_out("validation")
    search.add(searched("ss", of_gap(8), "student"))
    search.announce()
    heads, student = capsys.readouterr().err.splitlines()
    assert "fair head (fitted on validation)" in heads
    assert "ss: " in student, "it is not as good as the head, but better than the deployed model"


def test_a_head_whose_file_one_of_its_name_has_replaced_is_written_again(search, monkeypatch):
    written = []

    def write_head(candidate, folder):
        written.append(candidate.head.fitted_on)
        return folder / "deployed.pt"

    monkeypatch.setattr(search, "layer", "any")
    monkeypatch.setattr(search, "write_head", write_head)
    search.add(searched("fair head", of_gap(8), head=fitted("validation")))
    search.announce()
    search.add(searched("fair head", of_gap(4), head=fitted("train")))
    search.announce()
    search.leave_out("train")
    search.announce()
    assert written == ["validation", "train", "validation"]
    assert search.best.file == search.work.out / "heads/fair-head/deployed.pt"


def test_the_metric_of_the_rule_is_shown_too():
    before, after = searched("a", OWN).measures, searched("b", of_gap(10)).measures
    words = changes_in_words(parse_rule("worst_subgroup subject to deo_m <= 0.2"), before, after)
    assert words == "balanced accuracy 82.5 -> 87.5, DEO_A 15.0 -> 5.0, worst_subgroup 60.0 -> 80.0"
    assert "deo_a," not in changes_in_words(parse_rule("deo_a"), before, after)
