from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import Columns, cross, names_in
from fairdistill.tables.sources import sources_of


def test_a_name_with_a_line_break_is_read_within_double_quotes():
    assert names_in('"ma\nle",female') == ("ma\nle", "female")


def test_a_line_break_outside_double_quotes_is_an_error_with_a_remedy():
    with pytest.raises(UsageError, match="put a name that contains one in double quotes"):
        names_in("female,ma\nle")


def test_a_value_of_several_parts_is_named_with_its_row():
    columns = Columns(Path("t.parquet"), pd.DataFrame({"g": ["a", {"b": 1}, "a"]}), {})
    for read in (lambda: columns.codes("g", "group", unknown=True), lambda: sources_of(columns, "g")):
        with pytest.raises(DataError, match=r"t\.parquet, row 2: column 'g' has \{'b': 1\}, which is neither text nor"):
            read()


def test_combinations_that_no_row_has_take_no_memory():
    numbers = [np.arange(2_000) % size for size in (499, 997, 1_999)]
    codes, names = cross(numbers, [[str(code) for code in range(size)] for size in (499, 997, 1_999)])
    assert len(names) == 2_000
    assert [names[code] for code in codes[[0, 499, 1_999]]] == ["0, 0, 0", "0, 499, 499", "3, 5, 0"]


def test_an_empty_field_is_named_with_what_its_row_needs():
    columns = Columns(Path("t.parquet"), pd.DataFrame({"what": ["a", None, "b", None]}), {})
    with pytest.raises(
        DataError, match=r"row 2: column 'what' is empty \(and in 1 more row\); every row needs an attr"
    ):
        columns.codes("what", "attribute")
