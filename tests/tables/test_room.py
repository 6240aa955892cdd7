"""A table that does not fit into memory is refused before it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairdistill.errors import DataError
from fairdistill.tables.reading import read_columns

ROWS = 1000


def written(folder: Path, suffix: str) -> Path:
    frame = pd.DataFrame({"label": ["a", "b"] * (ROWS // 2), "note": ["x" * 1000] * ROWS})
    path = folder / f"table{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_table_that_does_not_fit_is_refused_in_one_line(suffix, tmp_path, monkeypatch):
    path = written(tmp_path, suffix)
    monkeypatch.setattr("fairdistill.tables.room.available_bytes", lambda: 1000)
    monkeypatch.setattr(pd, "read_csv", lambda *_args, **_options: pytest.fail("it was read"))
    with pytest.raises(DataError, match=r"the 2 columns that are used would take about .* GiB of memory") as caught:
        read_columns(path, ["label", "note"], "utf-8")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_that_are_not_used_take_no_memory(suffix, tmp_path, monkeypatch):
    path = written(tmp_path, suffix)
    rooms = {".csv": 600_000, ".parquet": 40_000}  # half a CSV file of two columns is guessed to be each one's
    monkeypatch.setattr("fairdistill.tables.room.available_bytes", lambda: rooms[suffix])
    assert read_columns(path, ["label"], "utf-8")["label"].tolist()[:2] == ["a", "b"]
    monkeypatch.setattr("fairdistill.tables.room.available_bytes", lambda: None)
    assert len(read_columns(path, ["label", "note"], "utf-8")) == ROWS


def test_a_long_table_is_parsed_in_parts_and_equals_itself_as_a_whole(tmp_path, monkeypatch):
    numbers = np.arange(25)
    frame = pd.DataFrame({"id": [f"r{at}" for at in numbers], "p": numbers / 32, "gap": [None, "x"] * 12 + [None]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    whole = read_columns(tmp_path / "t.csv", ["id", "p", "gap"], "utf-8", numbers=["p"])
    monkeypatch.setattr("fairdistill.tables.reading._ROWS", 4)
    pd.testing.assert_frame_equal(read_columns(tmp_path / "t.csv", ["id", "p", "gap"], "utf-8", numbers=["p"]), whole)
    assert whole["p"].tolist() == frame["p"].tolist()
