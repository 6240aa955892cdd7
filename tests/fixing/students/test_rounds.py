from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from fairdistill.fixing.options import MOST_STUDENTS
from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.students.rounds import Round, plan_round
from fairdistill.fixing.students.student import configurations

TRAINED = configurations(from_trained=True)


def plan(seconds, *, pace=Pace(0.1, 0.0), students=TRAINED, epoch_steps=100, most=10**9):  # noqa: B008
    return plan_round(seconds, pace, students, epoch_steps=epoch_steps, most=most)


@pytest.mark.parametrize(("epochs", "number"), [(40, 8), (25, 8), (11, 5), (4, 2), (1.3, 1)])
def test_as_many_students_compete_as_can_get_an_epoch_each(epochs, number):
    found = plan(0.1 * 100 * epochs)
    assert len(found.students) == number
    assert number == 1 or found.rungs[0] >= 90


@pytest.mark.parametrize("seconds", [30, 77, 123, 250, 1000, 7200])
def test_the_whole_budget_is_used_and_no_more(seconds):
    found = plan(seconds)
    costs = {each.name: each.cost for each in TRAINED}
    mean = sum(costs[name] for name in found.students) / len(found.students)
    steps, before = 0, 0
    while not found.done:
        until = found.rungs[len(found.passed)]
        steps += len(found.standing) * (until - before)
        found, before = found.after(found.standing), until
    assert before == found.steps
    assert 0.95 * seconds <= 0.1 * steps * mean <= seconds


def test_the_better_half_goes_on_after_each_rung_and_the_last_ends_it():
    found = Round(400, (100, 200, 400), ("a", "b", "c", "d"))
    found = found.after(["c", "d", "a", "b"])
    assert (found.standing, found.done) == (("c", "d"), False)
    found = found.after(["d", "c"])
    assert found.standing == ("d",)
    assert Round.from_dict(json.loads(json.dumps(asdict(found)))) == found
    assert found.after(["d"]).done


def test_a_round_whose_students_all_diverge_is_over():
    assert Round(200, (100, 200), ("a", "b")).after([]).done


def test_continuing_a_run_costs_time_too():
    quick, slow = plan(100), plan(100, pace=Pace(0.1, 5.0))
    assert slow.steps * len(slow.students) < quick.steps * len(quick.students)


def test_no_student_is_trained_longer_than_allowed_nor_for_next_to_nothing():
    assert plan(10**6, most=800).steps == 800
    assert plan(2.0) is None
    assert plan(100, students=[]) is None


@pytest.mark.parametrize("number", range(1, MOST_STUDENTS + 1))
def test_any_number_of_students_competes_if_there_is_time(number):
    found = plan(10_000, students=TRAINED[:number])
    assert found.students == tuple(each.configuration for each in TRAINED[:number])
    while len(found.standing) > 1:
        before = len(found.standing)
        found = found.after(found.standing)
        assert len(found.standing) == before // 2
    assert len(found.passed) == len(found.rungs) - 1, "one is left for the last rung"


def test_all_students_from_random_weights_compete_dro_too():
    found = plan(10_000, students=configurations(from_trained=False))
    assert found.students == ("ss", "mfd", "di", "mfd-self", "dro")


def test_students_that_see_changed_images_are_fewer_and_longer_since_it_pays_late():
    changed = configurations(from_trained=True, changed_images=True)
    found = plan(0.1 * 100 * 19, students=changed)
    assert found.students == ("gapreg-randaug", "ss-randaug")
    assert found.rungs[0] >= 500
    assert len(plan(0.1 * 100 * 19).students) > 2
