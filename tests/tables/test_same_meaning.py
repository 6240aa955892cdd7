from __future__ import annotations

import pytest

from fairdistill.tables.spelling import spelling_notes


def notes(names: list[str], kind: str = "group") -> list[str]:
    found = spelling_notes(names, range(1, len(names) + 1), column="column 'g'", kind=kind)
    return [note for note in found if "if they mean the same" in note]


def test_yes_and_no_in_two_words_each_are_noted():
    yes, no = notes(["0", "1", "False", "True"])
    assert yes.startswith("In column 'g', '1' (2 rows) and 'True' (4 rows) count as 2 groups")
    assert no.startswith("In column 'g', '0' (1 row) and 'False' (3 rows) count as 2 groups")
    assert len(notes(["no", "yes", "nein", "ja"], "class")) == 2


def test_a_letter_beside_the_only_word_that_it_begins_is_noted():
    female, male = notes(["Female", "F", "m", "Male"])
    assert female.startswith(
        "In column 'g', 'F' (2 rows) and 'Female' (1 row) count as 2 groups; if they mean the same"
    )
    assert male.startswith("In column 'g', 'm' (3 rows) and 'Male' (4 rows)")
    assert "count as 2 classes" in notes(["b", "benign", "malignant"], "class")[0]


def test_parts_in_another_order_are_noted():
    (note,) = notes(["Asian/White", "Asian", "White / Asian", "White"])
    assert note.startswith("In column 'g', 'Asian/White' (1 row) and 'White / Asian' (3 rows) count as 2 groups")
    assert len(notes(["Effusion|Mass", "Mass|Effusion", "Mass"], "class")) == 1


def test_words_for_the_sexes_are_noted_in_several_languages():
    female, male = notes(["Female", "Women", "männlich", "male"])
    assert female.startswith("In column 'g', 'Female' (1 row) and 'Women' (2 rows) count as 2 groups")
    assert male.startswith("In column 'g', 'männlich' (3 rows) and 'male' (4 rows) count as 2 groups")


def test_one_range_in_two_ways_is_noted():
    (note,) = notes(["18-25", "18 to 25", "26-40"])
    assert note.startswith("In column 'g', '18-25' (1 row) and '18 to 25' (2 rows) count as 2 groups")
    assert len(notes(["65+", "65 and over"])) == 1
    (note,) = notes(["18-25", "18 \u2013 25"])
    assert "differ only in" in note  # as look-alikes alone


@pytest.mark.parametrize(
    "names",
    [
        ["boy", "girl", "man", "woman"],
        ["18-25", "26-40", ">65", "65+"],
        ["A", "AB", "B", "O"],
        ["I", "II", "III", "IV"],
        ["a", "apple", "avocado"],
        ["0", "1", "True"],
        ["none", "normal", "mild"],
        ["1", "10", "100"],
        ["1/2", "2/1"],
        ["a+", "a-", "b+", "b-"],
        ["C++", "C"],
        ["S", "M", "L", "XL", "XXL"],
        [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "del", "nothing", "space"],
    ],
)
def test_values_that_mean_something_else_are_not(names):
    assert notes(names) == []


def test_sources_are_not_compared():
    assert notes(["m", "maria"], "source") == []
