from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fairdistill.auditing import AuditOptions, audit
from fairdistill.auditing.images import read_images
from fairdistill.data import GroupedDataset
from fairdistill.errors import TeacherError, UsageError
from fairdistill.runs import RunFolder
from tests.training.faces import draw_table

OPTIONS: dict[str, Any] = {"label": "shape", "group": "ground", "size": 16}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sixteen training and thirty-two test images, with a split column."""
    return draw_table(tmp_path / "data", train=16, test=32)


@pytest.fixture
def unsplit(table: Path) -> Path:
    lines = table.read_text().splitlines()
    assert lines[0].endswith(",split")
    path = table.with_name("all.csv")
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    return path


def read(data: Path, model: str = "deployed.pt", own: dict[str, Any] | None = None, **options: Any) -> GroupedDataset:
    chosen = {**OPTIONS, "image_cache": str(data.parent / "cache"), **(own or {})}
    return read_images(model, AuditOptions(data=str(data), data_options=chosen, **options))[0]


def trained_on(folder: Path, data: Path, **own: Any) -> RunFolder:
    config = {"data": str(data), "data_options": {**OPTIONS, "data_seed": 0, "test_share": 0.2, "source": None, **own}}
    return RunFolder.create(folder, config=config, environment={})


def test_a_deployed_model_is_audited_on_every_row_without_splits(unsplit):
    found = read(unsplit)
    assert (len(found), found.name) == (48, "all.csv")
    assert "all 48 rows were read, since no split is given" in found.notes[-1]


def test_test_rows_are_read_where_there_are_splits_and_said(table):
    found = read(table)
    assert (len(found), found.name) == (32, "images.csv/test")
    assert found.notes[-1] == "only the 32 rows of the test set were read; choose others with --rows"


@pytest.mark.parametrize(("rows", "count"), [("all", 48), ("train", 16), ("test", 32)])
def test_the_rows_can_be_chosen(table, rows, count):
    found = read(table, rows=rows)
    assert len(found) == count
    assert ("only the" in found.notes[-1]) == (rows != "all")


def test_rows_that_do_not_exist_are_refused(table):
    with pytest.raises(UsageError, match="has no val set; choose other rows with --rows"):
        read(table, rows="val")
    with pytest.raises(UsageError, match="--rows all applies only to a model"):
        AuditOptions(rows="all")
    with pytest.raises(UsageError, match="digits-s has splits of its own"):
        read_images("deployed.pt", AuditOptions(data="digits-s", rows="all"))


def test_a_validation_set_comes_along_with_the_test_set_alone(table):
    given = {**OPTIONS, "image_cache": str(table.parent / "cache"), "split_map": {"train": "val"}}
    for rows, has in (("auto", True), ("all", False), ("val", False)):
        options = AuditOptions(data=str(table), data_options=given, rows=rows)
        assert (read_images("deployed.pt", options)[1] is not None) == has


@pytest.mark.parametrize("file", ["", "model.safetensors"])
def test_a_run_is_audited_on_the_rows_it_was_not_trained_on(unsplit, tmp_path, file):
    trained_on(tmp_path / "run", unsplit, data_seed=3)
    found = read(unsplit, str(tmp_path / "run" / file))
    assert len(found) == 8  # a fifth of each of four subgroups, rounded
    assert "since the model was trained on the others" in found.notes[-1]
    assert set(found.ids) == set(read(unsplit, rows="test", own={"data_seed": 3}).ids)
    assert set(found.ids) != set(read(unsplit, rows="test").ids)


def test_another_draw_than_the_run_s_is_refused(unsplit, tmp_path):
    run = trained_on(tmp_path / "run", unsplit)
    with pytest.raises(UsageError, match="was trained with data_seed 0, not 1, so its test set differs"):
        read(unsplit, str(run.path), own={"data_seed": 1})
    assert len(read(unsplit, str(run.path), own={"data_seed": 1}, rows="all")) == 48


def test_a_run_trained_on_other_data_is_a_deployed_model(unsplit, table, tmp_path):
    run = trained_on(tmp_path / "run", table)
    assert len(read(unsplit, str(run.path))) == 48


def test_a_model_runs_in_the_threads_that_were_asked_for_and_the_caller_keeps_its_own(table, tmp_path, monkeypatch):
    before, used = torch.get_num_threads(), []

    def stopped(*_: object) -> None:
        used.append(torch.get_num_threads())
        raise UsageError("far enough")

    monkeypatch.setattr("fairdistill.auditing.model.read_images", stopped)
    torch.save({"weight": torch.zeros(1)}, tmp_path / "model.pt")
    with pytest.raises(UsageError, match="far enough"):
        audit(tmp_path / "model.pt", data=str(table), **OPTIONS, threads=before + 1)
    assert (used, torch.get_num_threads()) == ([before + 1], before)


def test_a_model_that_is_not_there_is_an_error_before_any_image_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("fairdistill.auditing.model.read_images", lambda *_: pytest.fail("images were read"))
    with pytest.raises(TeacherError, match="there is no model"):
        audit(tmp_path / "missing", data="digits-s")
