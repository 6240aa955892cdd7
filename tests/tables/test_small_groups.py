from __future__ import annotations

import numpy as np
import pytest

from fairdistill.tables.small_groups import few_rows_note, number_note


@pytest.mark.parametrize(
    ("values", "cut"),
    [
        (range(1, 91), "--bin n=30,60"),
        ([at / 100 for at in range(100, 200)], "--bin n=1.35,1.65"),
        ([1000 * at for at in range(50)], "--bin n=16000,32000"),
        ([f"{at},5" for at in range(1, 91)], "--bin n=30,60"),
        ([0] + [1e6 + at for at in range(20)], "--bin n=1000000"),
    ],
)
def test_many_numbers_come_with_round_cuts(values, cut):
    names = [str(value) for value in values]
    note = number_note("n", names, [3] * len(names))
    assert f"{len(names)} different numbers" in str(note)
    assert str(note).endswith(cut)


@pytest.mark.parametrize(
    "names",
    [
        [str(at) for at in range(10)], ["a"] * 30, [*map(str, range(20)), "old"], ["nan"] * 20,
        [f"1.{at * '0'}" for at in range(20)],
    ],
)  # fmt: skip
def test_few_numbers_and_names_are_groups(names):
    assert number_note("n", names, [1] * len(names)) is None


def test_the_option_is_quoted_for_a_shell():
    note = number_note("birth year", [str(at) for at in range(1900, 2000)], [3] * 100)
    assert str(note).endswith("--bin 'birth year=1935,1965'")


@pytest.mark.parametrize(
    "form", ["{0}-0{1}-1{1}", "1{1}.0{1}.{0}", "{1}/1{1}/{0}", "{0}-0{1}-1{1} 00:00:00", "{1}-Jan-{0}", "1{1}MAR{0}"]
)
def test_dates_come_with_what_to_do(form):
    dates = [form.format(1990 + at, 1 + at % 9) for at in range(20)]
    assert "has 20 different dates, each a group of its own; write the year or the age" in str(
        number_note("born", dates, [3] * 20)
    )
    assert number_note("born", [*dates, "1-2-3-4"], [3] * 21) is None


def test_cuts_follow_the_rows_not_the_values():
    names = [str(at) for at in range(60)]
    assert str(number_note("n", names, [100] * 20 + [1] * 40)).endswith("--bin n=5,15")


def test_many_groups_with_few_rows_are_counted():
    rows = np.full((21, 2), 20)
    assert few_rows_note(rows) is None
    rows[:3, 0] = (0, 19, 7)
    assert "21 groups, and 3 of 42 subgroups have fewer than 20 rows (median 20, smallest 0)" in str(
        few_rows_note(rows)
    )
    assert few_rows_note(rows[:20]) is None


@pytest.mark.parametrize("odd", ["89+", ">89", "90 and over", "037Y"])
def test_quantities_that_are_not_plain_numbers_come_with_what_to_do(odd):
    names = [*map(str, range(18, 40)), odd]
    note = number_note("age", names, [3] * len(names))
    assert note is not None
    assert f"{len(names)} different quantities, each a group of its own; write plain numbers for those such as" in note
    assert f"{odd!r}, and cut them into ranges with --bin" in note


def test_names_with_numbers_are_not_quantities():
    for form in ("site {}", "{}-{}", "A{}", "{}/A"):
        assert number_note("site", [form.format(at, at + 9) for at in range(20)], [3] * 20) is None


def test_long_names_are_told_from_quantities_at_once():
    names = [*map(str, range(20)), "2" + "a" * 60 + "_"]
    assert number_note("n", names, [1] * len(names)) is None
