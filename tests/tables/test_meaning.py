from __future__ import annotations

import pytest

from fairdistill.tables.meaning import alike, answer, first_alike, found_in, is_fraction, no_first, plain


@pytest.mark.parametrize(
    ("names", "offered", "places"),
    [
        (["b", "a"], ["a", "b", "c"], (1, 0)),
        (["1", "0"], ["0.0", "1.00"], (1, 0)),
        (["01", "2"], ["1", "2"], (0, 1)),
        (["Yes ", "no"], ["NO", "yes"], (1, 0)),
        ([" 1 "], ["0", "1"], (1,)),
        (["golden retriever"], ["golden.retriever", "pug"], (0,)),
        (["e\u0301"], ["\u00e9"], (0,)),
        (["True", "False"], ["0", "1"], (1, 0)),
        (["-1", "1"], ["neg", "pos"], (0, 1)),
        (["1"], ["False", "True"], (1,)),
        (["1", "0"], ["nein", "ja"], (1, 0)),
        (["yes", "no"], ["non", "oui"], (1, 0)),
        (["0", "1"], ["ИСТИНА", "ЛОЖЬ"], (1, 0)),
        (["0", "1"], ["FALSCH", "WAHR"], (0, 1)),
        (["a", "b"], ["a", "c"], None),
        (["a"], ["A", "a "], None),  # either could be meant
        (["a", "A"], ["a", "b"], None),
        (["-1", "1"], ["1", "2"], None),  # a sign is not a separator
        (["0", "-1"], ["no", "yes"], None),  # both would be no
        (["0", "1", "2"], ["no", "yes", "maybe"], None),
    ],
)
def test_names_are_found_where_only_one_can_be_meant(names, offered, places):
    assert found_in(names, offered) == places


def test_whole_numbers_are_written_as_such():
    assert plain(["1.0", "-2.00", "3,0", "x", "nan"]) == ("1", "-2", "3", "x", "nan")
    assert plain(["1.0", "1.5"]) == ("1.0", "1.5")
    assert plain(["1,000"]) == ("1,000",)  # a thousand, perhaps


def test_fractions_and_answers():
    assert [is_fraction(name) for name in ("0.5", "0,5", "1.0", "7", "x")] == [True, True, False, False, False]
    assert [answer(name) for name in ("TRUE", "n", "1.0", "-1", "2", "x")] == ["yes", "no", "yes", "no", None, None]
    assert [answer(name) for name in ("Nein", "Sí", "нет", "да", "是", "F", "M")] == [
        "no",
        "yes",
        "no",
        "yes",
        "yes",
        None,
        None,
    ]


@pytest.mark.parametrize("names", [("no", "yes"), ("normal", "abnormal"), ("none", "glasses"), ("-", "+"), ("a", "b")])
def test_the_name_that_means_no_is_the_first(names):
    assert no_first(names) == names
    assert no_first(names[::-1]) == (("b", "a") if "a" in names else names)


def test_one_spelling_is_alike_and_two_are_not():
    assert alike(["CAT", "bird"], ["cat", "dog"]) == {"CAT": "cat", "bird": None}
    assert alike(["cat"], ["Cat", "CAT"]) == {"cat": None}
    assert alike(["Cat"], ["cat-", "CAT"]) == {"Cat": "CAT"}  # a closer one decides


def test_the_first_name_that_is_spelled_like_an_earlier_one():
    assert first_alike(["a", "b", "B", "A"]) == ("A", "a")
    assert first_alike(["1", "2", "1.0"]) == ("1.0", "1")
    assert first_alike(["1", "2"]) is None


def test_thousands_of_classes_are_compared_with_each_other_without_every_pair():
    names = [f"id_{number}" for number in range(30_000)]
    assert alike(names, [f"ID {number}" for number in range(30_000)])["id_29999"] == "ID 29999"
