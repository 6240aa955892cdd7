from __future__ import annotations

import pytest

from fairdistill.tables.spelling import spelling_notes
from fairdistill.tables.totals import means_total


@pytest.mark.parametrize(
    "name", ["Total", "TOTAL:", "Grand Total", "subtotal", "Gesamtergebnis", "Итого", "合計", "All"]
)
def test_words_for_totals(name):
    assert means_total(name)


@pytest.mark.parametrize("name", ["", "tall", "total loss", "small", "allergic", "summer", "totalled"])
def test_other_words(name):
    assert not means_total(name)


def test_a_class_may_be_called_all_but_not_total():
    assert not means_total("all", kind="class")
    assert means_total("Total", kind="class")


def test_a_row_of_totals_is_noted_as_a_group_and_as_a_class():
    (note,) = spelling_notes(["cat", "dog", "Total"], [9, 7, 1], column="the classes", kind="class")
    assert note == "In the classes, 'Total' (1 row) counts as a class; if it stands for totals, remove this row"
    (note,) = spelling_notes(["F", "M", "All", "Total"], [9, 7, 1, 2], column="column 'sex'", kind="group")
    assert note == (
        "In column 'sex', 'All' (1 row) and 'Total' (2 rows) count as groups; if they stand for totals, "
        "remove these rows"
    )
    assert spelling_notes(["P1", "Total"], [2, 2], column="column 'patient'", kind="source") == []
