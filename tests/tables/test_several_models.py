from __future__ import annotations

import pandas as pd
import pytest

from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions

ONE = pd.DataFrame({"label": ["cat", "dog"] * 4, "group": ["x", "x", "y", "y"] * 2, "pred": ["cat"] * 4 + ["dog"] * 4})


def notes(path, table: pd.DataFrame, **options: str) -> list[str]:
    table.to_csv(path / "t.csv", index=False)
    return [
        note for note in read_predictions(path / "t.csv", TableColumns(**options)).notes if "several models" in note
    ]


@pytest.mark.parametrize("name", ["seed", "Model Name", "epoch", "run_id"])
def test_models_below_one_another_are_noted(tmp_path, name):
    both = pd.concat([ONE.assign(**{name: value}) for value in ("1", "2")])
    (note,) = notes(tmp_path, both)
    assert note == (
        f"Column '{name}' has 2 values with 8 rows each; if these are the predictions of several models for the same "
        "samples, audit the rows of each model alone"
    )


def test_other_columns_are_not(tmp_path):
    assert notes(tmp_path, ONE.assign(model="a")) == []
    assert notes(tmp_path, ONE.assign(model=["a"] * 5 + ["b"] * 3)) == [], "of cameras, perhaps"
    assert notes(tmp_path, ONE.assign(step=range(8))) == [], "a number of the row"
    assert notes(tmp_path, ONE.assign(model=["a"] * 4 + ["b"] * 3 + [None])) == []
    assert notes(tmp_path, ONE.assign(model=["a", "b"] * 4), group="model") == [], "a column that is used"


def test_a_column_of_objects_is_no_reason_to_refuse_a_table(tmp_path):
    path = tmp_path / "t.jsonl"
    ONE.assign(run=[{"name": "a"}] * 8, fold=[[1]] * 8).to_json(path, orient="records", lines=True)
    assert len(read_predictions(path, TableColumns())) == 8
