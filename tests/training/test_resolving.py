from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairdistill.errors import TeacherError
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions, resolve


def teacher(folder: Path, data: Path, **own: Any) -> RunFolder:
    config = {"data": str(data), "split_seed": 4, "data_options": {"label": "sex", "data_seed": 2, **own}}
    return RunFolder.create(folder / "teacher", config=config, environment={})


def options(data: Path, **own: Any) -> TrainOptions:
    return TrainOptions(data=str(data), teacher="teacher", method="ss", data_options=own)


def test_a_student_of_one_s_own_table_keeps_people_apart_as_its_teacher_did(tmp_path):
    run = teacher(tmp_path, tmp_path / "t.csv", source="patient")
    found = resolve(options(tmp_path / "t.csv"), run)
    assert (found.data_options["source"], found.split_seed) == ("patient", 4)
    with pytest.raises(TeacherError, match=r"trained with source patient, not eye.*or train the teacher with it too"):
        resolve(options(tmp_path / "t.csv", source="eye"), run)


def test_a_teacher_older_than_an_option_had_its_default(tmp_path):
    run = teacher(tmp_path, tmp_path / "t.csv")
    found = resolve(options(tmp_path / "t.csv"), run).data_options
    assert (found["label"], found["data_seed"], found["source"], found["unknown"]) == ("sex", 2, None, None)
    with pytest.raises(TeacherError, match="trained with source None, not patient"):
        resolve(options(tmp_path / "t.csv", source="patient"), run)
