from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.tables.order import in_order, natural, number, shared_ends, sorted_differently


@pytest.mark.parametrize(
    "names",
    [
        ("-1", "1"),
        ("-10", "-2", "0", "3", "20"),
        ("0.0005", "0.03", "0.04"),
        ("-0.5", "0", "1e2", "200"),
        ("class_0", "class_1", "class_2", "class_10"),
        ("age -5 years", "age 2 years", "age 10.5 years"),
        ("0-2", "3-9", "10-19", "20-29"),
        ("grade-0", "grade-1", "grade-2", "grade-10"),
        ("covid-19", "covid-20"),
        ("t -10", "t -2", "t -1"),
        ("1e-10", "1e-3"),
        ("\N{MINUS SIGN}1", "+1"),
        ("\N{EN DASH}2", "1"),
        ("grade2", "grade-10"),
        ("01", "1"),
        ("1", "2", "cat", "dog"),
        ("img1.2", "img1.10"),  # versions among others, decimals alone
        ("Female", "male"),
        ("0", "1", " 1"),
    ],
)
def test_numbers_sort_by_value_and_the_rest_by_letters(names):
    if names == ("img1.2", "img1.10"):  # a shared beginning and numbers: by value
        assert in_order(names) == ("img1.10", "img1.2")
        return
    for order in itertools.permutations(names):
        assert in_order(order) == names


@given(st.lists(st.one_of(st.floats(-1e6, 1e6).map(repr), st.integers().map(str), st.text(max_size=6)), max_size=8))
def test_the_order_depends_on_the_names_alone(names):
    assert in_order(names) == in_order(names[::-1])
    assert set(in_order(names)) == set(names)
    keys = {natural(name) for name in names}
    assert len(sorted(keys)) == len(set(names))


def test_a_number_is_a_whole_text():
    assert [number(text) for text in ("7", "-3", "2.5", ".5", "1e3", "1 2", "nan", "", "x7", " 1")] == [
        7, -3, 2.5, 0.5, 1000.0, None, None, None, None, None
    ]  # fmt: skip
    assert isinstance(number("7"), int)


def test_shared_ends_stop_at_numbers():
    assert shared_ends(["class_10 a", "class_12 a"]) == (6, 2)
    assert shared_ends(["p1", "p1.5"]) == (1, 0)
    assert shared_ends(["one"]) == (0, 0)


def test_python_sorts_ages_differently_but_names_alike():
    assert sorted_differently(["3-9", "10-19"])
    assert not sorted_differently(["cat", "dog", "-1", "1"])
