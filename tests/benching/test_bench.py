"""What ``bench`` returns: the jobs with their states, the table, and whether all is done."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fairdistill.benching import BenchOptions, BenchResult, JobState, bench, local
from fairdistill.errors import DataError, UsageError
from fairdistill.runs import finite_or_null
from tests.data.datasets.test_celeba import draw_celeba

SMALL = {
    "methods": "scratch,ss", "seeds": "0", "protocol": "honest", "epochs": 1, "teacher_epochs": 1, "device": "cpu",
    "precision": "float32",
}  # fmt: skip


def test_jobs_that_fail_are_counted_and_the_same_call_finishes_them(tmp_path, in_this_process, monkeypatch, capsys):
    real = local.run_job
    monkeypatch.setattr(local, "run_job", lambda job: "no luck" if job.row == "ss" else real(job))
    first = bench("digits-s", options=BenchOptions(**SMALL), out=str(tmp_path / "g"))
    assert (first.done, first.failed, first.left, first.ok, first.exit_code) == (1, 1, 1, False, 4)
    assert [(job.method, job.seed, job.state) for job in first.jobs] == [("scratch", 0, "done"), ("ss", 0, "failed")]
    assert first.jobs[1].detail == "no luck"
    assert [row.method for row in first.table.rows] == ["scratch"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("\n1 failed; run the same command again to continue\n")

    monkeypatch.setattr(local, "run_job", real)
    result = bench("digits-s", **SMALL, out=str(tmp_path / "g"), quiet=True)
    assert (result.done, result.failed, result.left, result.ok, result.exit_code) == (2, 0, 0, True, 0)
    assert result.text() == result.table.text()
    assert result.table.rows[0].accuracy.published is None
    assert capsys.readouterr() == ("", "")
    content = json.loads(json.dumps(finite_or_null(result.to_dict())))
    assert content["jobs"][0]["state"] == "done"
    assert content["table"]["rows"][1]["method"] == "ss"


def test_data_that_is_not_there_is_one_error_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    grid = {**SMALL, "out": str(tmp_path / "g")}
    with pytest.raises(DataError, match=r"cifar10s needs the folder .* --data-root"):
        bench("cifar10s", **grid)
    with pytest.raises(DataError, match="found neither"):
        bench("cifar10s", **grid, data_root=str(tmp_path))
    assert not (tmp_path / "g").exists()
    assert bench("cifar10s", **grid, dry_run=True).training_images is None


def test_a_grid_of_celeba_finds_its_data_and_trains(tmp_path):
    draw_celeba(tmp_path / "celeba")
    grid = {**SMALL, "methods": "scratch", "out": str(tmp_path / "g"), "model": "digit_net"}
    own = {"size": 16, "balanced_test": False, "image_cache": str(tmp_path / "images")}
    assert bench("celeba", **grid, **own, data_root=str(tmp_path)).done == 1


def test_options_of_the_data_set_may_be_given_as_keywords_too(tmp_path):
    grid = {**SMALL, "methods": "ss", "out": str(tmp_path / "g"), "dry_run": True}
    skewed = bench("digits-s", skew=0.5, **grid)
    assert skewed.jobs == bench("digits-s", data_options={"skew": 0.5}, **grid).jobs
    assert skewed.jobs != bench("digits-s", **grid).jobs


def test_a_dry_run_is_ok_and_has_no_table(tmp_path):
    result = bench("digits-s", **{**SMALL, "methods": "ss"}, out=str(tmp_path / "g"), dry_run=True)
    assert (result.dry_run, result.ok, result.done, result.table) == (True, True, 0, None)
    assert result.training_images > 0
    assert result.seconds_by_trial > 0
    assert not (tmp_path / "g").exists()


def test_a_grid_without_a_finished_run_is_shown_by_its_jobs():
    jobs = tuple(
        JobState(name=name, id=name, method="ss", seed=0, state=state, detail=detail)
        for name, state, detail in (("a", "failed", "no luck"), ("b", "stopped", "step 20"), ("c", "stopped", ""))
    )
    assert BenchResult(path="g", dry_run=False, workers=2, jobs=jobs).text().splitlines() == [
        "a  failed  no luck",
        "b  stopped  step 20",
        "c  stopped",
        "3 jobs: 1 failed, 2 stopped; the time needed is not known yet",
    ]


def test_a_typo_in_an_option_is_named():
    with pytest.raises(UsageError, match="BenchOptions has no option 'method'; did you mean 'methods'"):
        bench("digits-s", method="ss")


def test_the_options_need_no_torch():
    command = "import sys, fairdistill.benching; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_workers_are_the_runs_at_a_time_and_not_those_that_decode_images(monkeypatch):
    monkeypatch.setattr("fairdistill.benching.running.run_grid", lambda _source, options, **_: options)
    found = bench("celeba", workers=3, size=64)
    assert (found.workers, found.data_options) == (3, {"size": 64})
