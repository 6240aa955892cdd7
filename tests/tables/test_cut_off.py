from __future__ import annotations

import pandas as pd

from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions


def test_a_table_that_fills_a_sheet_is_noted(tmp_path):
    table = pd.DataFrame({"label": [0, 1] * 32_768, "group": ["x", "x", "y", "y"] * 16_384, "pred": 1})
    for rows in (65_534, 65_535, 65_536):
        table[:rows].to_csv(tmp_path / "t.csv", index=False)
        notes = read_predictions(tmp_path / "t.csv", TableColumns()).notes
        assert any("65,535 rows, all that a sheet of Excel has room for" in note for note in notes) == (rows == 65_535)
