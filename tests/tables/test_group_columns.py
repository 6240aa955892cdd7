"""Group columns: values that mean unknown, ranges of numbers, and the notes on both."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import Columns, words_of


def test_unknown_values_are_matched_exactly_after_trimming():
    frame = pd.DataFrame({"g": ["A", "NA", " NA ", "na", None, "B"]})
    columns = Columns(Path("t.csv"), frame, {}, {"NA"})
    assert [part if isinstance(part, tuple) else part.tolist() for part in columns.crossed(["g"])] == [
        [0, -1, -1, 2, -1, 1],
        ("A", "B", "na"),
    ]
    assert [note for note in columns.notes if "'na' (1 row)" in note]


def test_a_row_is_unknown_if_one_of_its_groups_is():
    frame = pd.DataFrame({"g": ["A", "?", "B"], "h": ["x", "x", "?"]})
    codes, names = Columns(Path("t.csv"), frame, {}, {"?"}).crossed(["g", "h"])
    assert (codes.tolist(), names) == ([0, -1, -1], ("A, x",))


def test_labels_are_not_made_unknown():
    frame = pd.DataFrame({"l": ["A", "?"]})
    assert Columns(Path("t.csv"), frame, {}, {"?"}).codes("l", "label")[1] == ("?", "A")


def test_numbers_are_cut_and_words_among_them_left_unknown():
    frame = pd.DataFrame({"age": ["19", "20", "NA", "41", None]})
    with pytest.raises(DataError, match=r"'NA', which is not a number; .*--unknown"):
        Columns(Path("t.csv"), frame, {"age": "20,40"}).crossed(["age"])
    columns = Columns(Path("t.csv"), frame, {"age": "20,40"}, {"NA"})
    codes, names = columns.crossed(["age"])
    assert (codes.tolist(), names) == ([0, 1, -1, 2, -1], ("<20", "20 to <40", ">=40"))
    assert columns.notes == []


def test_codes_for_unknown_that_are_cut_into_ranges_are_noted():
    frame = pd.DataFrame({"age": ["19", "20", "-1", "999", "-1", "41", "NA"]})
    columns = Columns(Path("t.csv"), frame, {"age": "20,40"}, {"NA"})
    columns.crossed(["age"])
    assert columns.notes == [
        "In column 'age', '-1' (2 rows) counts as '<20' and '999' (1 row) counts as '>=40'; if they mean unknown, "
        "add --unknown=-1,999"
    ]
    columns = Columns(Path("t.csv"), frame, {"age": "20,40"}, {"NA", "-1", "999"})
    codes, _ = columns.crossed(["age"])
    assert (codes.tolist(), columns.notes) == ([0, 1, -1, -1, -1, 2, -1], [])


def test_decimal_commas_are_ordered_by_value():
    frame = pd.DataFrame({"g": ["0,5", "10,5", "NA", "0,25", "1"]})
    assert Columns(Path("t.csv"), frame, {}).codes("g", "group")[1] == ("0,25", "0,5", "1", "10,5", "NA")


def test_many_numbers_are_noted_and_so_is_an_option_without_effect():
    frame = pd.DataFrame({"age": [str(age) for age in range(30)] + ["?"]})
    columns = Columns(Path("t.csv"), frame, {}, {"unk"})
    columns.crossed(["age"])
    assert [
        part for note in columns.notes for part in ("--unknown '?'", "--bin age=10,20", "No row has") if part in note
    ]
    assert columns.notes[-1] == "No row has the group 'unk' that --unknown names"


@pytest.mark.parametrize("text", ["", " , ", ","])
def test_an_empty_list_is_refused(text):
    with pytest.raises(UsageError, match="expected unknown to list values"):
        words_of(text)
    assert words_of('"a, b",c') == {"a, b", "c"}


@pytest.mark.parametrize(
    ("separator", "values", "codes", "note"),
    [
        (",", ["23,500", "145,000"], [0, 1], "'23,500' was read as 23500"),
        ("", ["23,500", "145,000"], [0, 1], "'23,500' was read as 23500"),
        (";", ["99999,500", "100001,5"], [0, 1], "'99999,500' was read as 99999.5"),
        (";", ["1.045.000", "850"], [1, 0], "'1.045.000' was read as 1045000"),
    ],
)
def test_numbers_with_signs_between_thousands_are_cut_with_a_note(separator, values, codes, note):
    frame = pd.DataFrame({"income": values})
    frame.attrs["separator"] = separator
    columns = Columns(Path("t.csv"), frame, {"income": "100000"})
    assert columns.crossed(["income"])[0].tolist() == codes
    assert columns.notes == [f"In column 'income', {note}"]


@pytest.mark.parametrize("word", ["999", "999.0"])
def test_a_whole_number_means_unknown_however_it_is_written(word):
    frame = pd.DataFrame({"age": ["20.0", "999.0", "999", None], "site": ["x", "y", "x", "y"]})
    for bins, codes in (({"age": "40"}, [0, -1, -1, -1]), ({}, [0, -1, -1, -1])):
        columns = Columns(Path("t.csv"), frame, bins, words_of(word))
        assert columns.crossed(["age"])[0].tolist() == codes
        assert columns.notes == []
    unused = Columns(Path("t.csv"), frame, {}, words_of(word))
    unused.crossed(["site"])
    assert unused.notes == ["No row has the group '999' that --unknown names"]


@pytest.mark.parametrize("word", ["inf", "-Infinity", "1e999"])
def test_an_infinite_number_has_no_range(word):
    frame = pd.DataFrame({"age": ["20", word]})
    with pytest.raises(DataError, match=rf"row 3: column 'age' has '{word}', which is not a number; --bin needs"):
        Columns(Path("t.csv"), frame, {"age": "40"}).crossed(["age"])
