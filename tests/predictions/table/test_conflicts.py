from __future__ import annotations

import pandas as pd

from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions


def notes(path, **changed: list[str | int]) -> list[str]:
    columns = {
        "id": ["a", "a", "b", "b", "", "", "?", "?"],
        "label": [0, 0, 1, 1, 0, 1, 0, 1],
        "group": ["x", "x", "y", "y", "x", "y", "x", "y"],
        "pred": [0, 1, 1, 1, 0, 1, 0, 1],
    }
    pd.DataFrame(columns | changed).to_csv(path / "t.csv", index=False)
    found = read_predictions(path / "t.csv", TableColumns(unknown="?"))
    return [note for note in found.notes if "although they count as one sample" in note]


def test_rows_of_one_id_that_agree_are_not_noted(tmp_path):
    assert notes(tmp_path) == []
    assert notes(tmp_path, group=["x", "?", "", "y", "x", "y", "x", "y"]) == []


def test_different_labels_and_groups_of_one_id_are_noted(tmp_path):
    (note,) = notes(tmp_path, label=[0, 1, 1, 1, 0, 1, 0, 1])
    assert note.startswith(
        "For 1 value of column 'id', for example 'a', rows have different labels although they count"
    )
    labels, groups = notes(tmp_path, label=[0, 1, 1, 0, 0, 1, 0, 1], group=["x", "x", "y", "x", "x", "y", "x", "y"])
    assert labels.startswith("For 2 values of column 'id', for example 'a', rows have different labels")
    assert groups.startswith("For 1 value of column 'id', for example 'b', rows are in different groups")
