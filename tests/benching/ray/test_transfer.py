"""Run folders between machines: resumable at any moment, and with the places of the machine they are on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairdistill.benching.jobs import Job
from fairdistill.benching.ray.transfer import read_files, stamps, write_files
from fairdistill.errors import RunFolderError
from fairdistill.runs.folder import RunFolder
from fairdistill.training import TrainOptions


def a_job(folder: Path, **options) -> Job:
    given = {"out": str(folder / "run"), "teacher": str(folder / "teacher"), "cache_dir": str(folder / ".cache")}
    return Job("0", "mfd", 0, TrainOptions(method="mfd", **{**given, **options}), "1")


def a_run(job: Job, **config) -> RunFolder:
    run = RunFolder.create(job.path, config={**job.places, "seed": 3, **config}, environment={})
    run.append_log({"step": 8})
    run.checkpoint_path.parent.mkdir()
    run.checkpoint_path.write_bytes(b"state")
    return run


def test_a_folder_that_comes_has_the_places_of_its_machine_and_nothing_else_changed(tmp_path):
    there, here = a_job(tmp_path / "there", data_root="/data/there"), a_job(tmp_path / "here")
    run = a_run(there)
    write_files(here, read_files(run.path, stamps(run.path)))
    assert RunFolder.open(here.path).config == {**run.config, **here.places, "data_root": None}
    for name in ("log.jsonl", "checkpoint/state.pt", "environment.json"):
        assert (here.path / name).read_bytes() == (run.path / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["run"]


def test_a_folder_that_is_there_is_added_to_and_keeps_its_configuration(tmp_path):
    job = a_job(tmp_path)
    before = a_run(job).config
    write_files(job, {"config.yaml": b"seed: 4", "log.jsonl": b"newer", "result.json": b"{}"})
    assert RunFolder.open(job.path).config == before
    assert (job.path / "log.jsonl").read_bytes() == b"newer"
    assert (job.path / "checkpoint/state.pt").read_bytes() == b"state"


def test_a_moved_job_is_the_same_job_elsewhere(tmp_path):
    job = a_job(tmp_path / "there", data_root="/data")
    moved = job.moved(tmp_path / "here")
    assert (moved.id, moved.row, moved.seed, moved.teacher) == (job.id, job.row, job.seed, job.teacher)
    assert moved.options == a_job(tmp_path / "here", data_root="/data").options


def test_the_log_is_never_behind_the_checkpoint(tmp_path, monkeypatch):
    """Read after the checkpoint and written before it, the log holds every row that the checkpoint counts."""
    job, order = a_job(tmp_path / "there"), []
    run = a_run(job)
    (run.path / "result.json").write_text("{}")
    files = read_files(run.path, stamps(run.path))
    assert next(iter(files)) == "checkpoint/state.pt"

    real = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: order.append(Path(to).name) or real(self, to))
    write_files(a_job(tmp_path / "here"), files)
    assert order.index("log.jsonl") < order.index("state.pt") < order.index("result.json")


def test_what_is_being_written_stays_and_what_has_changed_is_known(tmp_path):
    job = a_job(tmp_path)
    assert stamps(job.path) == {}
    run = a_run(job)
    (run.path / "model.safetensors.part").write_bytes(b"half")
    (run.path / ".lock").touch()
    before = stamps(run.path)
    assert set(before) == {"config.yaml", "environment.json", "log.jsonl", "checkpoint/state.pt"}
    run.append_log({"step": 16})
    os.utime(run.checkpoint_path, ns=(0, 0))
    after = stamps(run.path)
    assert {name for name in after if after[name] != before[name]} == {"log.jsonl", "checkpoint/state.pt"}


def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    there, here = a_job(tmp_path / "there"), a_job(tmp_path / "here")
    files = read_files(a_run(there).path, stamps(there.path))
    here.path.mkdir(parents=True)
    (here.path / "file").touch()  # another process was sooner, but is no run
    with pytest.raises(RunFolderError, match="cannot create"):
        write_files(here, files)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["run"]
