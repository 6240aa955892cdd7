from __future__ import annotations

import math

import pytest

from fairdistill import methods
from fairdistill.fixing.options import MOST_STUDENTS
from fairdistill.fixing.students.plan import Pace, Round, configurations, plan_round, short_steps, teacher_steps

TRAINED = configurations(from_trained=True)


def plan(seconds, *, pace=Pace(0.1, 0.0), students=TRAINED, epoch_steps=100, most=10**9):  # noqa: B008
    return plan_round(seconds, pace, students, epoch_steps=epoch_steps, most=most)


def test_ss_and_mfd_come_first_and_weights_that_are_trained_already_are_also_changed_slowly():
    names = [each.name for each in TRAINED]
    assert names[:4] == ["ss", "mfd", "ss-lr0.1", "mfd-lr0.1"]
    assert {"di", "mfd-self", "dro"} < set(names)
    assert names[-1] == "ss-lr0.03"
    assert len(set(names)) == len(names) == MOST_STUDENTS, "all of them can compete"
    for each in TRAINED:
        methods.parse(each.method, data="digits-s")
        assert each.description(from_trained=True).startswith("your network with all its weights trained further, ")
        assert each.description(from_trained=False).startswith("a new network trained ")


def test_from_random_weights_only_the_full_learning_rate_is_tried():
    assert all(each.rate == 1 for each in configurations(from_trained=False))


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
    assert Round.from_dict(found.to_dict()) == found
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


def test_the_first_student_is_short_and_is_left_out_where_there_is_no_time():
    assert short_steps(1e6, 0.1, epoch_steps=352, most=17_600) == 704
    assert short_steps(1e6, 0.1, epoch_steps=352, most=352) == 352
    assert short_steps(1.0, 0.1, epoch_steps=352, most=17_600) == 0
    assert short_steps(-5.0, 0.1, epoch_steps=352, most=17_600) == 0
    assert short_steps(100.0, 0.1, epoch_steps=4, most=200) == 8


def test_a_model_that_is_trained_first_gets_a_third_of_the_time():
    assert teacher_steps(90, 0.1, epoch_steps=352, epochs=50) == 300
    assert teacher_steps(9e9, 0.1, epoch_steps=352, epochs=50) == 50 * 352
    assert teacher_steps(0.001, 0.1, epoch_steps=352, epochs=50) == 1


def test_the_pace_is_that_of_the_steps_and_the_rest_is_for_starting():
    pace = Pace.measured(wall=30.0, steps=100, training=20.0, evaluation=4.0)
    assert math.isclose(pace.step, 0.24)
    assert math.isclose(pace.part, 6.0)
    assert Pace.measured(wall=10.0, steps=100, training=20.0, evaluation=0.0).part == 0.0


def test_a_pace_is_corrected_only_if_the_machine_has_changed():
    pace = Pace(0.5, 10.0)
    assert pace.expected(100, 1.6) == pytest.approx(90.0)
    assert pace.corrected(seconds=360.0, expected=90.0) == Pace(2.0, 40.0)
    assert pace.corrected(seconds=9.0, expected=90.0) == Pace(0.05, 1.0)
    for seconds in (60.0, 90.0, 170.0):
        assert pace.corrected(seconds=seconds, expected=90.0) is pace
    assert pace.corrected(seconds=1.0, expected=0.0) is pace


def test_if_images_are_changed_most_students_see_them_so_and_the_first_ones_surely():
    found = configurations(from_trained=True, changed_images=True)
    assert len(found) == MOST_STUDENTS
    assert [each.augment for each in found[:3]] == ["randaug"] * 3
    assert found[0].name == "gapreg-randaug"
    assert "with RandAugment" in found[0].description(from_trained=True)
    assert [each.name for each in found if each.augment is None] == ["ss", "mfd", "ss-lr0.1"]
    for each in found:
        methods.parse(each.method, data="digits-s")


def test_students_that_see_changed_images_are_fewer_and_longer_since_it_pays_late():
    changed = configurations(from_trained=True, changed_images=True)
    found = plan(0.1 * 100 * 19, students=changed)
    assert found.students == ("gapreg-randaug", "ss-randaug")
    assert found.rungs[0] >= 500
    assert len(plan(0.1 * 100 * 19).students) > 2
