"""How students compete, with a training that takes no time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fairdistill.fixing.search.candidates import KEEP, Candidate
from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.students import halving
from fairdistill.fixing.students.halving import train_students
from fairdistill.fixing.work import folder
from fairdistill.system.clock import Clock
from tests.fixing.making import predictions
from tests.fixing.networks import work_of

GAPS = {
    "ss-short": 9, "ss": 7, "mfd": 3, "di": 5, "dro": 8, "ss-lr0.1": 10, "mfd-lr0.1": 10, "mfd-self": 10,
    "ss-lr0.03": 8,
}  # fmt: skip


def gap(points):
    return ((90 - points, 100), (90, 100), (90, 100), (90, 100))


@pytest.fixture
def search(tmp_path, monkeypatch):
    """A search whose students need a second per step, and have a gap that depends on their name alone."""
    work = work_of("two_logits", tmp_path, epochs=1000)
    folder.begin(work.out, {"digests": {}})
    own = Candidate(name=KEEP, family="deployed", description="it", validation=predictions(gap(40)))
    found = Search(work, own)
    found.now, found.log, found.step_seconds = 0.0, [], 1.0

    def trained(search, _start, student, *, steps, until):
        if until == 0:
            return None
        before = folder.reached(work.out, f"students/{student.name}")
        search.now += found.step_seconds * max(0, until - before)
        if until > before:
            folder.record_reached(work.out, f"students/{student.name}", until)
        search.log.append((student.name, until))
        search.students[student.name] = None
        validation = predictions(gap(GAPS.get(student.name, 12)))
        each = Candidate(
            name=student.name, family="student", description="it", validation=validation,
            configuration=student.configuration,
        )  # fmt: skip
        search.add(each)
        return each

    monkeypatch.setattr(halving, "train_student", trained)
    monkeypatch.setattr(halving, "start_of", lambda _search: None)
    monkeypatch.setattr(Pace, "measured", classmethod(lambda cls, **_: cls(1.0, 0.0)))
    monkeypatch.setattr(halving, "time_for_students", lambda _search: found.budget - found.now)
    monkeypatch.setattr(halving, "short_steps", lambda *_a, **_k: 4)
    monkeypatch.setattr(halving, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_the_better_half_goes_on_until_the_budget_is_spent(search):
    search.budget = 60.0  # an epoch is two steps of 128 images
    assert train_students(search) == "budget"
    assert search.log[0] == ("ss-short", 4)
    (planned,) = folder.plan_of(search.work.out)["rounds"]
    starting, rungs = planned["students"], planned["rungs"]
    assert [name for name, until in search.log[1:] if until == rungs[0]] == starting
    ranked = sorted(starting, key=lambda name: GAPS[name])
    for number, rung in enumerate(rungs[1:], 1):
        assert {name for name, until in search.log[1:] if until == rung} == set(ranked[: len(starting) // 2**number])
    assert search.best.name == "mfd"
    assert 0.6 * search.budget <= search.now <= search.budget


def test_a_second_call_trains_nothing_that_is_done_and_shows_all_again(search):
    search.budget = 60.0
    train_students(search)
    first, search.log, before = set(search.students), [], search.now
    search.students.clear()
    assert train_students(search) == "budget"
    assert search.now == before
    assert set(search.students) == first


def test_a_search_that_ran_out_of_time_goes_on_where_it_was(search, monkeypatch):
    search.budget = 60.0
    train_students(search)
    whole, log = search.best.name, list(search.log)
    plan = folder.plan_of(search.work.out)
    passed = plan["rounds"][0]["passed"]
    survivors = passed[0]
    folder.update_plan(
        search.work.out, rounds=[{**plan["rounds"][0], "passed": passed[:1]}],
        reached=dict.fromkeys(plan["reached"], plan["rounds"][0]["rungs"][0]) | {"students/ss-short": 4},
    )  # fmt: skip
    search.now, search.log = 0.0, []
    search.students.clear()
    train_students(search)
    assert search.best.name == whole
    trained = {name for name, until in search.log if until > plan["rounds"][0]["rungs"][0]}
    assert trained <= set(survivors) | {"ss-short"}
    assert log


def test_a_larger_budget_starts_a_longer_round(search):
    search.budget = 60.0
    train_students(search)
    search.budget = 2000.0
    train_students(search)
    first, second = folder.plan_of(search.work.out)["rounds"][:2]
    assert second["steps"] > first["steps"]
    assert second["students"][:2] == ["mfd", "di"], "those that did best start first"
    assert any(name.endswith("-2") for name in search.students)


def test_on_a_machine_that_has_become_busy_the_budget_is_kept(search):
    search.budget = 200.0
    usual = halving.train_student

    def busier(search, start, student, *, steps, until):
        search.step_seconds = 1.0 if student.name == "ss-short" else 4.0
        return usual(search, start, student, steps=steps, until=until)

    halving.train_student = busier  # the fixture restores it
    assert train_students(search) == "budget"
    assert search.now <= 1.2 * search.budget, "the first student was planned before the change"
    assert folder.plan_of(search.work.out)["pace"]["step"] > 2.0


def test_a_second_call_on_a_busier_machine_plans_with_its_pace(search):
    search.budget = 60.0
    train_students(search)
    search.image_seconds *= 4
    search.step_seconds = 4.0
    search.budget = 2000.0
    train_students(search)
    assert search.pace.step == pytest.approx(4.0)


def test_a_student_that_is_stopped_because_time_is_up_ends_the_search_and_counts(search, monkeypatch):
    search.budget = 60.0
    usual = halving.train_student

    def cut(search, start, student, *, steps, until):
        at = until // 2 if student.name == "mfd" else until
        return usual(search, start, student, steps=steps, until=at)

    monkeypatch.setattr(halving, "train_student", cut)
    assert train_students(search) == "budget"
    assert search.log[-1][0] == "mfd"
    assert search.best.name == "mfd"
    (planned,) = folder.plan_of(search.work.out)["rounds"]
    assert planned["passed"] == [], "the others of this comparison were not trained to its end"


def test_students_that_diverge_drop_out(search, monkeypatch):
    search.budget = 60.0
    usual = halving.train_student

    def some(search, start, student, *, steps, until):
        if student.name in ("mfd", "di"):
            return None
        return usual(search, start, student, steps=steps, until=until)

    monkeypatch.setattr(halving, "train_student", some)
    train_students(search)
    assert search.best.name not in ("mfd", "di")


def test_without_time_nothing_is_trained_and_a_note_says_why(search, monkeypatch):
    search.budget = 1.0
    monkeypatch.setattr(halving, "short_steps", lambda *_a, **_k: 0)
    assert train_students(search) == "budget"
    assert not search.students
    assert search.notes[0].startswith("No student was trained: a pass over the training images takes about")


def test_the_time_for_the_test_set_is_kept(search, monkeypatch):
    monkeypatch.undo()
    search.work = replace(search.work, clock=Clock(100.0))
    search.image_seconds = 0.1  # twice 240 images are 48 s
    assert 20 < halving.time_for_students(search) < 47
