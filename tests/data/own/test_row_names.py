from __future__ import annotations

import numpy as np
import pytest

from fairdistill.data.own.row_names import RowsByName, numbered


@pytest.mark.parametrize("name", ["row 0", "row 4", "row 01", "row -1", "row", "2", "row 2 ", "row ²", ""])
def test_only_the_names_of_rows_have_a_row(name):
    rows = RowsByName(numbered(3))
    assert [rows.get(each) for each in ("row 1", "row 2", "row 3")] == [0, 1, 2]
    assert rows.get(name) is None


def test_other_names_are_looked_up():
    rows = RowsByName(np.array(["row 2", "b"], object))
    assert (rows.get("row 2"), rows.get("b"), rows.get("row 1")) == (0, 1, None)
