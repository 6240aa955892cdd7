from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions
from fairdistill.tables.several_models import repeated_samples_note

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


RANDOM = np.random.default_rng(0).integers(0, 2, (3, 60))
SAMPLES = pd.DataFrame(dict(zip(("label", "group", "pred"), RANDOM, strict=True)))


@pytest.mark.parametrize("name", ["temperature", "corruption", "x"])
def test_rows_that_repeat_the_samples_of_others_are_noted_whatever_tells_them_apart(tmp_path, name):
    below = pd.concat([SAMPLES.assign(**{name: value}, pred=SAMPLES["label" if value else "pred"]) for value in (0, 1)])
    (note,) = notes(tmp_path, below)
    assert note.startswith(
        "The labels and groups of the 120 rows are those of 60 samples, 2 times in the same order, as"
    )
    (beside,) = notes(tmp_path, below.sort_index(kind="stable"))
    assert beside == note
    assert notes(tmp_path, below.assign(id=[*range(60)] * 2)) == [], "which is told of the ids"
    assert notes(tmp_path, below[:-1]) == notes(tmp_path, SAMPLES) == []


def test_an_order_that_is_a_pattern_says_nothing():
    rows = np.arange(240)
    for parts in ((rows % 2, rows // 2 % 2), (rows // 120, rows // 60 % 2), (rows % 3, rows // 60 % 2)):
        assert repeated_samples_note(np.stack(parts)) == []
    once = np.concatenate([RANDOM[:2], RANDOM[1:]], axis=1)
    assert len(repeated_samples_note(np.tile(once, 3))) == 1
    assert repeated_samples_note(np.tile(once[:, :40], 3)) == [], "few samples may agree by chance"
