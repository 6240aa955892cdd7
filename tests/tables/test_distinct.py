from __future__ import annotations

import pandas as pd
import pytest

from fairdistill.tables.distinct import distinct


def test_values_come_in_the_order_of_their_first_row_and_missing_ones_have_no_number():
    codes, values = distinct(pd.Series(["b", None, "a", "b", float("nan")], dtype=object))
    assert codes.tolist() == [0, -1, 1, 0, -1]
    assert values.tolist() == ["b", "a"]


def test_numbers_of_several_types_are_told_apart_as_they_are_written():
    codes, values = distinct(pd.Series([0, False, 0.0, None, "0", 0, True, float("nan")], dtype=object))
    assert codes.tolist() == [0, 1, 2, -1, 0, 0, 3, -1]
    assert values.tolist() == ["0", "False", "0.0", "True"]


def test_a_missing_number_is_no_number_of_another_type():
    codes, values = distinct(pd.Series([3, float("nan"), 3], dtype=object))
    assert codes.tolist() == [0, -1, 0]
    assert values.tolist() == [3]


def test_what_cannot_be_compared_is_an_error():
    with pytest.raises(TypeError):
        distinct(pd.Series([[1], [2]], dtype=object))
