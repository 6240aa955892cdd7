from __future__ import annotations

from fairdistill.fixing.students.steps import short_steps, teacher_steps


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
