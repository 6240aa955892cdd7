from __future__ import annotations

import pytest

from fairdistill.tables.ranges import date_notes, range_of


@pytest.mark.parametrize("name", ["18-25", "18 – 25", "18 to 25", "18-25 years old", "18 bis 25 Jahre", "18~25"])
def test_a_range_between_two_numbers(name):
    assert range_of(name) == (18, 25)


@pytest.mark.parametrize(
    "name", ["65+", "65 +", ">=65", "≥ 65", "65 and over", "65 years and older", "65 or more", "65 plus"]
)
def test_a_range_that_is_open(name):
    assert range_of(name) == (65, None)


@pytest.mark.parametrize("name", ["18", "A-1", "<65", ">65", "18.5-25", "2020-01-01", "adult", "", "18-25-30"])
def test_other_names_are_no_ranges(name):
    assert range_of(name) is None


def noted(*names: str) -> list[str]:
    return date_notes(names, dict.fromkeys(names, 3), column="column 'age'")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("19-Oct", "10-19"),
        ("Oct-19", "10-19"),
        ("5-Jan", "1-5"),
        ("9-May", "5-9"),
        ("14. Okt", "10-14"),
        ("mai 06", "5-6"),
    ],
)
def test_a_range_that_became_a_date_is_noted(name, meant):
    (note,) = noted(name, "20-29")
    assert note == (
        f"In column 'age', '{name}' (3 rows) is probably '{meant}', which a spreadsheet took for a date; correct it"
    )


def test_dates_among_dates_and_other_names_are_not():
    assert noted("19-Oct", "20-Oct") == []
    assert noted("May", "20-29") == noted("decade 5", "20-29") == noted("mark 4", "20-29") == []
