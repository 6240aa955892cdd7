from __future__ import annotations

import pytest

from fairdistill.errors import TeacherError
from fairdistill.predictions.trained.class_order import ClassOrder, assumed, matched


def match(named, classes, **kwargs):
    return matched(named, classes, model="the model m.pt", data="faces.csv/test", **kwargs)


def test_the_same_order_needs_no_word():
    assert match(["a", "b"], ("a", "b")) == ClassOrder()


def test_another_order_is_matched_by_name_and_said():
    found = match(["c", "a", "b"], ["a", "b", "c"], origin="config.json")
    assert found.order == (1, 2, 0)
    assert found.notes == (
        "The model's outputs are in the order c, a, b (from config.json); they were matched with the data's classes by "
        "name",
    )


def test_names_that_differ_in_case_and_blanks_are_the_same_unless_that_is_ambiguous():
    found = match(["Male ", "FEMALE"], ["female", "male"])
    assert found.order == (1, 0)
    assert "were matched with the data's female, male" in found.notes[0]
    assert match(["A", "a"], ["a", "A"]).order == (1, 0)
    with pytest.raises(TeacherError):
        match(["A", "a "], ["a", "B"])


@pytest.mark.parametrize("named", [["0.0", "1.0"], ["False", "True"], ["no", "yes"]])
def test_names_that_mean_the_numbers_of_the_data_are_matched_with_a_note(named):
    found = match(named[::-1], ["0", "1"])
    assert found.order == (1, 0)
    assert f"The model's classes {named[1]}, {named[0]} were matched with the data's 0, 1" in found.notes[0]


@pytest.mark.parametrize(
    ("named", "text"),
    [
        (["cat", "dog"], "was trained on the classes cat, dog; faces.csv/test has 0, 1; name .*--classes .*'cat'"),
        (["a", "b", "c"], "was trained on the classes a, b, c; faces.csv/test has 0, 1$"),
    ],
)
def test_names_that_do_not_match_are_a_question(named, text):
    with pytest.raises(TeacherError, match=text):
        match(named, ["0", "1"])


def test_an_order_that_others_would_not_use_is_said_with_the_option():
    (note,) = assumed(["2-9", "10-19", "20+"])
    assert "in the order 2-9, 10-19, 20+" in note
    assert note.endswith("add --classes 10-19,2-9,20+")
    assert assumed(["cat", "dog"]) == assumed(["<20", "20 to <40", ">=40"]) == ()
    assert assumed(["2", "10", "a, b"])[0].endswith("add --classes '10,2,\"a, b\"'")
