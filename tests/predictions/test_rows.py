from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fairdistill import audit
from fairdistill.errors import DataError, UsageError
from fairdistill.predictions import Predictions, TableColumns, read_predictions


def frame(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    label, group = draw.integers(0, 2, rows), draw.integers(0, 2, rows)
    right = draw.random(rows) < 0.9 - 0.15 * group
    return pd.DataFrame(
        {"label": label, "group": np.array(["A", "B"])[group], "pred": np.where(right, label, 1 - label)}
    )


def read(path: Path, made: pd.DataFrame, **options: Any) -> Predictions:
    made.to_csv(path / "t.csv", index=False)
    return read_predictions(path / "t.csv", TableColumns(**options))


def test_repeated_ids_answer_as_the_rows_once(tmp_path):
    once = frame().assign(id=[f"i{row}" for row in range(400)])
    again = pd.concat([once] * 4)
    single, repeated = (audit(read(tmp_path, made), draws=2000) for made in (once, again))
    assert (repeated.rows, repeated.sources) == (1600, 400)
    assert repeated.deo_a.value == pytest.approx(single.deo_a.value)
    for end in ("low", "high", "floor"):
        assert getattr(repeated.deo_a, end) == pytest.approx(getattr(single.deo_a, end), abs=0.01)
    assert any(
        "400 values of column 'id' occur more than once, in 1,600 rows (up to 4 each)" in n for n in repeated.notes
    )
    assert not any("'id'" in note for note in single.notes)


@pytest.mark.parametrize("name", ["ID", "image_id", "Sample-ID", "filename", "uid"])
def test_ids_are_recognized_by_their_name(tmp_path, name):
    made = frame(6).assign(**{name: ["a", "a", "b", "c", "d", "e"]})
    found = read(tmp_path, made)
    assert found.sources.tolist() == [0, 0, 1, 2, 3, 4]
    said = f"Samples are identified by column {name!r}; name another one with --id" in found.notes
    assert said is (name != "ID")
    assert read(tmp_path, made.assign(id=range(6))).sources.tolist() == [0, 1, 2, 3, 4, 5], "id comes first"


def test_a_column_of_few_values_is_not_taken_for_ids(tmp_path):
    made = frame(100).assign(path=["a", "b"] * 50)
    found = read(tmp_path, made)
    assert found.ids is None
    assert found.notes == (
        "Column 'path' has 2 values in 100 rows, so it was not taken for ids; if rows with the same one show one "
        "sample, add --id path",
    )
    assert len(set(read(tmp_path, made, id="path").sources.tolist())) == 2


def test_pictures_in_parquet_are_no_ids(tmp_path):
    made = frame(4).assign(image=[{"bytes": b"x", "path": "a"}] * 4)
    made.to_parquet(tmp_path / "t.parquet")
    assert read_predictions(tmp_path / "t.parquet", TableColumns()).ids is None


def test_ids_that_look_alike_are_noted(tmp_path):
    found = read(tmp_path, frame(4).assign(id=["7", "007", "a", "A"]))
    assert len(set(found.sources.tolist())) == 4
    (note,) = found.notes
    assert "'7' (1 row) and '007' (1 row) differ only in the way a number is written" in note


def test_ids_and_sources_are_combined(tmp_path):
    made = frame(6).assign(id=["a", "a", "b", "c", "d", "e"], who=["p", "q", "q", "r", None, "r"])
    assert read(tmp_path, made, source="who").sources.tolist() == [0, 0, 0, 1, 2, 1]
    assert read(tmp_path, made).sources.tolist() == [0, 0, 1, 2, 3, 4]
    assert read(tmp_path, made.drop(columns="id"), source="who").sources[:4].tolist() == [0, 1, 1, 2]


def test_ids_that_are_unknown_are_not_one_source(tmp_path):
    made = frame(6).assign(id=["?", "?", "b", "c", None, "c"])
    assert len(set(read(tmp_path, made).sources.tolist())) == 4
    found = read(tmp_path, made, unknown="?")
    assert len(set(found.sources.tolist())) == 5
    assert found.ids is not None
    assert found.ids.tolist() == ["", "", "b", "c", "", "c"]


def test_numbers_in_parquet_may_be_ids(tmp_path):
    made = frame(4).assign(id=pd.array([7, None, 7, 8], dtype="Int64"))
    made.to_parquet(tmp_path / "t.parquet")
    found = read_predictions(tmp_path / "t.parquet", TableColumns())
    assert found.ids is not None
    assert found.ids.tolist() == ["7", "", "7", "8"]
    assert found.sources[0] == found.sources[2]


@pytest.mark.parametrize(("column", "option"), [("id", "--id id"), ("source_id", "--source source_id")])
def test_a_single_source_is_refused(tmp_path, column, option):
    with pytest.raises(DataError, match=f"all rows are one source by {option}"):
        read(tmp_path, frame(6).assign(**{column: "x"}))


def test_few_sources_are_noted(tmp_path):
    found = audit(read(tmp_path, frame().assign(who=np.arange(400) % 6), source="who"), draws=200)
    assert any("only 6 independent pictures or people" in note for note in found.notes)


def test_groups_are_cut_into_ranges_and_words_left_unknown(tmp_path):
    made = frame().assign(age=[str(row % 60) for row in range(400)])
    made.loc[:9, "age"] = "NA"
    found = read(tmp_path, made, group="age,group", bin={"age": "20,40"}, unknown="NA")
    assert found.group_names[:2] == ("<20, A", "<20, B")
    assert (len(found.group_names), int((found.groups < 0).sum())) == (6, 10)
    with pytest.raises(UsageError, match="--bin label: only the group columns can be binned: age"):
        read(tmp_path, made, group="age", bin={"label": "1"})
    assert any("--bin age=" in note for note in read(tmp_path, made, group="age").notes)


def test_many_small_groups_are_noted(tmp_path):
    given = read(tmp_path, frame().assign(group=np.arange(400) % 25))
    said = "There are 25 groups, and 50 of 50 subgroups have fewer than 20 rows"
    (note,) = [note for note in audit(given, draws=200).notes if said in note]
    again = audit(replace(given, notes=(*given.notes, note)), draws=200)  # as the notes of images say it already
    assert again.notes.count(note) == 1


def test_spellings_and_people_are_noted(tmp_path):
    made = frame().assign(
        label=lambda table: np.where(table.index == 3, " 1", table.label.astype(str)), person=range(400)
    )
    notes = read(tmp_path, made).notes
    assert any("and ' 1' (1 row) differ only in blanks and count as 2 classes" in note for note in notes)
    assert any("--source person" in note for note in notes)


def test_rows_of_the_training_set_are_said(tmp_path):
    splits = np.array(["Train", "dev", "test"])[np.arange(400) % 3]
    found = read(tmp_path, frame().assign(Split=splits))
    (note,) = found.notes
    assert note.startswith("Column 'Split' says that 134 of 400 rows are training data, and all rows are audited")
    assert read(tmp_path, frame().assign(split="test")).notes == ()
    assert read(tmp_path, frame().assign(subset=splits)).notes[0].startswith("Column 'subset' says that 134 of 400")
    assert read(tmp_path, frame().assign(set=np.arange(400) % 3)).notes == ()
    assert read(tmp_path, frame().assign(split=splits), group="split").notes == ()
    for yes, no in ((1, 0), (True, False), ("yes", "no")):
        (note,) = read(tmp_path, frame().assign(is_train=[yes, no, no, no] * 100)).notes
        assert note.startswith("Column 'is_train' says that 100 of 400 rows are training data")
    assert read(tmp_path, frame().assign(is_test=np.arange(400) % 2)).notes == ()


def test_ids_that_a_spreadsheet_rounded_are_said(tmp_path):
    ids = [f"{1.23456 + row // 100 / 1e5:.5f}E+11" for row in range(400)]
    notes = read(tmp_path, frame().assign(id=ids)).notes
    assert any(note.startswith("4 values of column 'id' occur more than once") for note in notes)
    (rounded,) = [note for note in notes if "spreadsheet" in note]
    assert rounded.startswith("Column 'id' has '1.23456E+11', a long number that a spreadsheet rounded")
    assert not any("spreadsheet" in note for note in read(tmp_path, frame().assign(id=np.arange(400) // 4)).notes)


def test_unknown_sources_are_no_unused_words(tmp_path):
    people = [f"p{row // 2}" if row % 4 < 2 else "NA" for row in range(400)]
    found = read(tmp_path, frame().assign(source_id=people), unknown="NA,?")
    assert found.notes == ("No row has the group '?' that --unknown names",)
