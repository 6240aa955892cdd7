from __future__ import annotations

import pandas as pd
import pytest

from fairdistill.tables.distinct import distinct


def test_values_come_in_the_order_of_their_first_row_and_missing_ones_have_no_number():
    codes, values = distinct(pd.Series(["b", None, "a", "b", float("nan")], dtype=object))
    assert codes.tolist() == [0, -1, 1, 0, -1]
    assert values.tolist() == ["b", "a"]


def test_what_cannot_be_compared_is_an_error():
    with pytest.raises(TypeError):
        distinct(pd.Series([[1], [2]], dtype=object))
