from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.tables.columns import Columns
from fairdistill.tables.sources import linked, source_hint, sources_of


def made(values: list[object], unknown: set[str] | None = None) -> Columns:
    return Columns(Path("t.csv"), pd.DataFrame({"person": values}), {}, unknown or set())


def partition(codes: list[int]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(np.array(codes) == code).tolist()) for code in set(codes)}


def test_empty_and_unknown_sources_are_their_own():
    columns = made(["p", None, "NA", "p", " ", "NA", " ", None], {"NA"})
    assert partition(sources_of(columns, "person").tolist()) == partition([0, 1, 2, 0, 3, 4, 5, 6])
    assert columns.notes == []


def test_a_word_for_unknown_that_links_rows_is_noted():
    columns = made(["p", "?", "q", "?", "NA"])
    assert partition(sources_of(columns, "person").tolist()) == partition([0, 1, 2, 1, 3])
    assert columns.notes == [
        "In column 'person', '?' (2 rows) counts as a source; if it means unknown, add --unknown '?'"
    ]


def test_sources_that_look_alike_are_noted_also_if_each_has_a_single_row():
    columns = made(["12", "12.0", "p", "7", "007", " ", "  ", "P", "p"])
    assert partition(sources_of(columns, "person").tolist()) == partition([0, 1, 2, 3, 4, 5, 6, 7, 2])
    assert columns.notes == [
        "In column 'person', '12' (1 row) and '12.0' (1 row) differ only in the way a number is written and count as 2 "
        "sources; if they mean the same, write them alike",
        "In column 'person', 1 more set of sources looks alike",
    ]
    assert len(set(sources_of(people := made(["P1", "p1 "]), "person").tolist())) == 2
    assert "differ only in blanks and upper and lower case and count as 2 sources" in people.notes[0]


codes = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


@given(codes)
def test_linked_rows_are_those_that_a_slow_search_reaches(pairs):
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    reached = np.arange(len(pairs))
    for _ in pairs:
        for column in (first, second):
            for value in set(column.tolist()):
                reached[column == value] = reached[column == value].min()
    assert partition(linked(first, second).tolist()) == partition(reached.tolist())


@pytest.mark.parametrize(
    "name", ["patient", "Patient_ID", "SubjectID", "person id", "identity", "subject_no", "Patientennummer", "paciente"]
)
def test_a_column_of_people_is_suggested(name):
    assert "--source" in source_hint(["image", name], ["image"])[0]
    assert source_hint(["image", name], ["image", name]) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Email", "people"),
        ("Patient Name", "people"),
        ("emp_no", "people"),
        ("MD5", "pictures"),
        ("family_id", "families"),
    ],
)
def test_more_columns_tell_what_several_rows_may_show(name, shown):
    assert source_hint(["image", name], ["image"])[0].startswith(f"Column '{name}' may identify {shown}; if several")


def test_other_columns_are_not():
    assert source_hint(["id", "image", "impatient", "personality", "name", "worker_id", "family", "hashtag"], []) == []
