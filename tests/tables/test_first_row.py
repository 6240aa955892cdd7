from __future__ import annotations

from pathlib import Path

import pandas as pd

from fairdistill.tables.columns import Columns
from fairdistill.tables.first_row import first_row_note


def noted(first: list[str | None], rest: list[list[str]], names: tuple[str | None, ...] = ("label", "group")) -> str:
    frame = pd.DataFrame([first, *rest], columns=["label", "group"])
    return " ".join(first_row_note(Columns(Path("t.csv"), frame, {}), names))


ROWS = [["cat", "f"], ["dog", "m"]] * 12


def test_a_row_of_units_is_noted():
    assert noted(["class", "sex"], ROWS).startswith(
        "t.csv, row 2 has 'class' and 'sex' in columns 'label' and 'group', as no other row does; if it holds units"
    )
    assert "'class' and 'sex'" in noted(["class", "sex"], ROWS, ("label", None, "group"))


def test_a_first_row_like_others_is_not():
    assert noted(["cat", "sex"], ROWS) == noted(["class", "f"], ROWS) == ""
    assert noted(["class", None], ROWS) == ""  # one value alone may well be rare
    assert noted(["class", "sex"], [["bird", "f"], *ROWS]) == ""  # as rare as another
    assert noted(["class", "sex"], ROWS[:10]) == ""
