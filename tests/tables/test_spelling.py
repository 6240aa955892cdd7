from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.tables.spelling import lookalike_notes, lookalikes, spelling_notes


def notes(names: list[str], kind: str = "group") -> list[str]:
    return spelling_notes(names, range(1, len(names) + 1), column="column 'g'", kind=kind)


@pytest.mark.parametrize(
    ("names", "how"),
    [
        (["Asian", "Asian "], "'Asian' (1 row) and 'Asian ' (2 rows) differ only in blanks"),
        (["East Asian", "East\u00a0Asian"], r"'East Asian' (1 row) and 'East\xa0Asian' (2 rows) differ only in blanks"),
        (["East Asian", "EastAsian"], "differ only in blanks"),
        (["old", "\u200bold"], "differ only in blanks"),
        (["old", "OLD"], "'old' (1 row) and 'OLD' (2 rows) differ only in upper and lower case"),
        (["Zo\u00eb", "Zoe\u0308"], r"'Zo\xeb' (1 row) and 'Zoe\u0308' (2 rows) differ only in Unicode form"),
        (["B", "\uff22"], r"'B' (1 row) and '\uff22' (2 rows) differ only in Unicode form"),
        (["10-19", "10\u201319"], r"'10-19' (1 row) and '10\u201319' (2 rows) differ only in Unicode form"),
        (["1,000", "1000"], "'1,000' (1 row) and '1000' (2 rows) differ only in the way a number is written"),
        (["\u2764", "\u2764\ufe0f"], "differ only in blanks"),
        (["\u00bd", "1/2"], "differ only in Unicode form"),
        (["\u0639\u064e\u0644\u064a", "\u0639\u0644\u064a"], "differ only in accents"),
        (["old", "Old "], "differ only in blanks and upper and lower case"),
        (["a", "a\x00"], r"'a\x00' (2 rows) differ only in blanks"),
        (["non-white", "nonwhite"], "differ only in punctuation"),
        (["Asian_Indian", "Asian Indian"], "differ only in blanks and punctuation"),
        (["Jos\u00e9", "Jose"], "differ only in accents"),
        (["Dr.", "Dr"], "'Dr.' (1 row) and 'Dr' (2 rows) differ only in punctuation"),
        (["Rest...", "Rest"], "differ only in punctuation"),
        (["Rest\u2026", "Rest", "rest"], "upper and lower case, punctuation and Unicode form and"),
        (["U.S.", "US"], "differ only in punctuation"),
        (["'A'", "A"], "differ only in punctuation"),
        (["\u0410", "A"], r"'\u0410' (1 row) and 'A' (2 rows) differ only in letters of another alphabet"),
        (
            ["\u0412\u0435\u043d\u0430", "\u0432\u0435\u043d\u0430"],
            "'Вена' (1 row) and 'вена' (2 rows) differ only in upper and",
        ),
        (
            ["7", "7.0", "07"],
            "'7.0' (2 rows) and '07' (3 rows) differ only in the way a number is written",
        ),
    ],
)
def test_names_that_look_alike_are_named_with_their_difference(names, how):
    (note,) = notes([*names, "other"])
    assert how in note
    assert f"count as {len(names)} groups" in note


@pytest.mark.parametrize(
    "names",
    [
        ["-1", "1"], ["a", "b"], ["1", "10"], ["x 1", "x 2"], ["", "a"], ["inf", "1e999"], ["HIV+", "HIV-"],
        ["1-2", "12"], ["1.5", "15"], ["M", "Male"], ["yes", "1"], ["v1.9", "v19"],
        ["<20", ">20"], ["\u0915\u093f", "\u0915\u0940", "\u0915"],  # vowel signs of Hindi
    ],
)  # fmt: skip
def test_different_names_are_left_alone(names):
    assert lookalikes(names) == []


@given(
    st.text("abcXYZ09 \u00e9\u00dc-_", min_size=1, max_size=8),
    st.sampled_from([str.upper, str.lower, lambda text: f" {text}\t", lambda text: f"{text}\u00a0"]),
)
def test_a_name_looks_like_itself_however_it_is_typed(name, typed):
    if typed(name) != name:
        assert lookalikes([name, typed(name)]) == [(name, typed(name))]


def test_words_for_unknown_come_with_the_option_that_makes_them_so():
    (note,) = notes(["A", "n/a", "?", "Unknown", " none"])
    assert "'n/a' (2 rows), '?' (3 rows), 'Unknown' (4 rows) and ' none' (5 rows) count as groups" in note
    assert note.endswith("add --unknown 'n/a,?,Unknown,none'")
    assert notes(["-9", "0", "1", "2"])[0].endswith(
        "'-9' (1 row) counts as a group; if it means unknown, add --unknown=-9"
    )
    assert notes(["-9", "0", "1", "2"], "source") == notes(["-9", "0", "1", "2"], "class") == []


def test_classes_may_be_called_none_and_sources_may_look_alike():
    assert notes(["none", "some"], "class") == []
    (note,) = notes(["some", "nan"], "class")
    assert note.endswith("'nan' (2 rows) counts as a class; if it means that there is no label, remove these rows")
    assert notes(["p1", "P1"], "source") == []
    assert lookalike_notes(["p1", "P1"], {"p1": 1, "P1": 1}, column="column 'g'", kind="source") == []
    assert "'NA' (1 row) counts as a source" in notes(["NA", "p1"], "source")[0]


def test_many_pairs_are_counted():
    names = [name for at in range(8) for name in (f"g{at}", f"G{at}")]
    assert len(notes(names)) == 6
    assert notes(names)[-1] == "In column 'g', 3 more sets of groups look alike"


def test_a_name_that_was_read_in_another_encoding_looks_like_itself():
    (note,) = notes(["Européen", "Europ\u00c3\u00a9en"])
    assert "differ only in encoding and count as 2 groups" in note
    (note,) = notes(["ÁRABE", "\u00c3\u0081rabe"])
    assert "differ only in upper and lower case and encoding" in note
    (note,) = notes(["муж", "муж".encode().decode("cp1252")])
    assert "differ only in encoding" in note
    assert notes(["Ü\u00a0", "\u0720"]) == [], "a blank, not half of a letter"
    assert notes(["Ã", "é"]) == notes(["São", "Tomé"]) == []
