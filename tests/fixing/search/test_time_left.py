from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.search.time_left import time_before_the_test, time_for_students
from tests.fixing.networks import work_of


@pytest.fixture
def search(tmp_path):
    work = replace(work_of("two_logits", tmp_path), clock=SimpleNamespace(left=100.0))
    own = Candidate(name=KEEP, family="deployed", description="it", validation=work.deployed.validation)
    found = Search(work, own)
    found.image_seconds = 0.0
    return found


def test_time_for_the_audits_is_kept_by_how_long_one_took(search):
    assert time_before_the_test(search) == 95.0
    search.audit_seconds = 3.0
    assert time_before_the_test(search) == 88.0


def test_time_for_two_passes_over_the_test_set_is_kept_and_for_lines_where_students_are_planned(search):
    search.image_seconds = 0.1
    tests = 2 * 0.1 * len(search.work.samples.test)
    assert time_before_the_test(search) == pytest.approx(95 - tests)
    left = time_before_the_test(search)
    assert 0.75 * left <= time_for_students(search) < left
