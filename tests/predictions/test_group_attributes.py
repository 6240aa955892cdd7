"""The single attributes that groups are combinations of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairdistill.predictions import TableColumns, read_predictions
from fairdistill.predictions.group_attributes import group_attributes


def test_a_table_keeps_its_group_columns_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("label,pred,race,age\ny,y,B,10\nn,n,,30\ny,n,A,\nn,y,A,70\n")
    found = read_predictions(path, TableColumns(group="race,age", bin={"age": "20,60"}))
    race, age = found.attributes
    assert (race.name, race.names, race.codes.tolist()) == ("race", ("A", "B"), [1, -1, 0, 0])
    assert (age.name, age.names, age.codes.tolist()) == ("age", ("<20", "20 to <60", ">=60"), [0, 1, -1, 2])
    turned = found.take(np.array([3, 0]))
    assert [each.codes.tolist() for each in turned.attributes] == [[0, 1], [2, 0]]


def test_plain_groups_are_one_attribute() -> None:
    groups = np.array([0, 1, -1])
    (found,) = group_attributes((), groups, ("f", "m"))
    assert (found.name, found.names) == ("group", ("f", "m"))
    assert found.codes is groups
