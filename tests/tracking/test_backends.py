"""The real libraries, none of which reaches a network here."""

from __future__ import annotations

import pytest

from fairdistill.runs import RunFolder
from fairdistill.tracking import logged

FIRST = {"step": 8, "loss": {"ce": 2.0}, "evaluation": {"split": "val", "deo_a": 0.25, "collapsed": False}}
SECOND = {"step": 16, "loss": {"ce": 1.0}, "evaluation": {"split": "val", "deo_a": float("nan")}}


@pytest.fixture
def run(tmp_path):
    config = {"method": "ss", "set": {"mfd.strength": 3.0}, "teacher": None}
    return RunFolder.create(tmp_path / "run", config=config, environment={})


def log_both(name, run):
    """Log a row, and another after the run was resumed."""
    said = []
    for row in (FIRST, SECOND):
        with logged(name, run, said.append) as log:
            log(row)
    assert not [line for line in said if "warning" in line]


def test_tensorboard_reads_the_numbers(run):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log_both("tensorboard", run)
    events = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/ce")] == [(8, 2.0), (16, 1.0)]
    assert [event.step for event in events.Scalars("val/deo_a")] == [8]
    assert "mfd.strength" in str(events.Tensors("options/text_summary"))


def test_wandb_keeps_a_run_offline(run, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    log_both("wandb", run)
    folders = sorted((run.path / "wandb").glob("offline-run-*"))
    assert {folder.name.rpartition("-")[2] for folder in folders} == {run.logger_id}
    written = b"".join(file.read_bytes() for file in (run.path / "wandb").rglob("*.wandb"))
    assert b"val/deo_a" in written
    assert b"mfd.strength" in written


def test_mlflow_continues_one_run(run, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "faces")
    log_both("mlflow", run)
    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("faces").experiment_id])
    assert found.info.run_name == "run"
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"loss/ce": 1.0, "val/deo_a": 0.25}
    assert found.data.params == {"method": "ss", "set.mfd.strength": "3.0"}
    history = client.get_metric_history(found.info.run_id, "loss/ce")
    assert [(each.step, each.value) for each in history] == [(8, 2.0), (16, 1.0)]
