"""What a worker does, here in this process: trains in the grid's folder or apart from it, and tells of it."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fairdistill._version import __version__
from fairdistill.benching.jobs import Job
from fairdistill.benching.ray.transfer import read_files, stamps, write_files
from fairdistill.benching.ray.worker import News, Worker
from fairdistill.errors import UsageError
from fairdistill.models.files.weights import read_weights, weights_digest
from fairdistill.runs.folder import RunFolder
from fairdistill.training import TrainOptions, loop, train


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """Where workers that see no grid make their folders."""
    path = tmp_path / "scratch"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


@pytest.fixture
def student(quick: Callable[..., TrainOptions], tiny_teacher, tmp_path) -> Job:
    options = quick(
        method="mfd", teacher=tiny_teacher, out=str(tmp_path / "g/mfd"), cache_dir=str(tmp_path / "g/.teacher-cache")
    )
    return Job("0", "mfd", 0, options, "1")


def result(folder: Path) -> dict:
    read = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in read.items() if not key.startswith(("seconds", "samples_per", "peak"))}


def weights(folder: Path) -> str:
    return weights_digest(read_weights(folder / "model.safetensors")[0])


def all_news(worker: Worker, job: Job, every: float = 0.0) -> list[News]:
    """Bring home whatever comes, as the engine does."""
    heard = []
    while not heard or not heard[-1].ended:
        heard.append(worker.news(every))
        if heard[-1].files:
            write_files(job, heard[-1].files)
    return heard


def test_a_worker_knows_whether_it_sees_the_grid(tmp_path):
    (tmp_path / "mark").touch()
    where, shared = Worker().meet(__version__, str(tmp_path / "mark"))
    assert where.endswith(f"process {os.getpid()}")
    assert shared
    assert not Worker().meet(__version__, str(tmp_path / "other"))[1]
    assert not Worker().meet(__version__, str(tmp_path / "nowhere/mark"))[1]


def test_a_worker_of_another_version_says_both(tmp_path):
    with pytest.raises(UsageError, match=rf"fairdistill {__version__} is installed on .* with 0\.0\.1; install"):
        Worker().meet("0.0.1", str(tmp_path))


def test_a_run_apart_comes_home_whole_and_leaves_nothing_there(student, scratch, tiny_teacher, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)  # it would be recorded on the machine that has it
    reference = train(dataclasses.replace(student.options, out=f"{student.path}-reference", threads=1), quiet=True)
    teacher = read_files(Path(tiny_teacher), stamps(Path(tiny_teacher)))
    worker = Worker()
    worker.begin_apart(student, threads=1, files={}, teacher=teacher)
    heard = all_news(worker, student)
    assert heard[-1].error is None
    assert all("result.json" not in news.files for news in heard[:-1])
    assert result(student.path) == result(reference.path)
    assert set(stamps(student.path)) == set(stamps(reference.path))
    assert weights(student.path) == weights(reference.path)
    assert (student.path / "predictions.csv").read_bytes() == (reference.path / "predictions.csv").read_bytes()
    changed = {"out": str(student.path)}
    assert RunFolder.open(student.path).config == {**reference.config, **changed}
    assert not list(scratch.iterdir())


def test_a_run_apart_goes_on_where_it_was(student, scratch, tiny_teacher, monkeypatch):
    """The first worker ends in step 8 of 12; the second is given what came home, and ends with the same bits."""
    teacher = read_files(Path(tiny_teacher), stamps(Path(tiny_teacher)))
    reference = train(dataclasses.replace(student.options, out=f"{student.path}-reference", threads=1), quiet=True)
    first, second, steps, real = Worker(), Worker(), [], loop.train_step

    def counted(*arguments, **options):
        steps.append(1)
        if len(steps) == 8:
            raise ZeroDivisionError("somewhere deep")
        return real(*arguments, **options)

    monkeypatch.setattr(loop, "train_step", counted)
    first.begin_apart(student, threads=1, files={}, teacher=teacher)
    assert all_news(first, student)[-1].error == "ZeroDivisionError: somewhere deep"
    assert [row["step"] for row in RunFolder.open(student.path).read_log()] == [3, 6]
    home = read_files(student.path, stamps(student.path))
    second.begin_apart(student, threads=1, files=home, teacher=teacher)
    assert all_news(second, student)[-1].error is None
    assert len(steps) == 8 + 6  # from the checkpoint after step 6
    assert result(student.path) == result(reference.path)
    assert weights(student.path) == weights(reference.path)
    assert RunFolder.open(student.path).config["out"] == str(student.path)


def test_a_run_that_fails_says_why_and_is_told_with_what_it_wrote(student, scratch):
    worker = Worker()
    worker.begin_apart(student, threads=1, files={}, teacher={})
    (news,) = all_news(worker, student)
    assert "there is no teacher" in news.error
    assert not student.path.exists()
    assert not list(scratch.iterdir())


def test_where_the_storage_is_shared_nothing_is_fetched(student):
    worker = Worker()
    worker.begin(student, threads=1)
    assert worker.news(0.0) == News({}, True, None)
    assert RunFolder.open(student.path).finished
    assert RunFolder.open(student.path).config["threads"] == 1
