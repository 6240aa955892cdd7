from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions


def table(rows: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    share = draw.uniform(0, 1, rows)
    return pd.DataFrame({"label": draw.integers(0, 2, rows), "group": draw.choice(["a", "b"], rows), "p_1": share})


def notes(path, frame: pd.DataFrame, **options: str) -> list[str]:
    frame.to_csv(path / "t.csv", index=False)
    found = read_predictions(path / "t.csv", TableColumns(**options))
    return [note for note in found.notes if "occur" in note and "All rows" in note]


@pytest.mark.parametrize("times", [2, 3])
def test_a_table_that_holds_all_rows_several_times_is_noted(tmp_path, times):
    copied = pd.concat([table()] * times).sample(frac=1, random_state=0)
    (note,) = notes(tmp_path, copied)
    assert note.startswith(f"All rows occur {times} times with the same label, group and probabilities")
    numbered = copied.assign(id=range(len(copied)))
    assert notes(tmp_path, numbered) == [note]
    assert notes(tmp_path, numbered.assign(person=copied.index), source="person") == []


def test_other_tables_are_not(tmp_path):
    copied = pd.concat([table(), table()])
    assert notes(tmp_path, table()) == []
    assert notes(tmp_path, copied.iloc[1:]) == []
    assert notes(tmp_path, copied.assign(label=np.arange(240) // 120)) == []
    assert notes(tmp_path, copied.assign(p_1=np.where(copied.p_1 > 0.5, 0.75, 0.25))) == []  # few different rows
    assert notes(tmp_path, copied.assign(p_1=np.arange(240) / 240)) == []
