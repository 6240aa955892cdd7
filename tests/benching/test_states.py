"""The states of a grid's jobs, told from the files in its folder."""

from __future__ import annotations

import pytest

from fairdistill.benching.execution import run_job
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.benching.states import record_failure, standing, standings
from fairdistill.errors import RunFolderError
from fairdistill.runs.folder import RunFolder


def test_all_jobs_together_stand_as_each_does_alone(tmp_path) -> None:
    options = BenchOptions(methods="scratch,ss", seeds="0-2", protocol="honest", steps=1, out=str(tmp_path / "grid"))
    grid = plan("digits-s", options)
    assert {each.state for each in standings(grid).values()} == {"not started"}
    failed, held, *others = grid.jobs
    grid.path.mkdir()
    record_failure(failed, "no images")
    with held.held() as free:
        assert free
        found = standings(grid)
        assert found == {job.id: standing(job) for job in grid.jobs}
        assert (found[failed.id].detail, found[held.id].state) == ("no images", "running")
    assert {found[job.id].state for job in others} == {"not started"}


def damaged(tmp_path):
    """Return a grid of one job, and its run folder with an unreadable result."""
    grid = plan(
        "digits-s", BenchOptions(methods="scratch", seeds="0", protocol="honest", steps=1, out=str(tmp_path / "g"))
    )
    run = RunFolder.create(grid.jobs[0].path, config={}, environment={}).path
    (run / "result.json").write_text("{")
    return grid, run


def test_a_damaged_run_is_an_error_that_says_how_to_train_it_again(tmp_path) -> None:
    grid, run = damaged(tmp_path)
    with pytest.raises(RunFolderError, match=f"cannot read .*result.json: .* remove {run} and call bench as before"):
        standings(grid)
    (run / "config.yaml").unlink()
    with pytest.raises(RunFolderError, match=f"result.json but no config.yaml. To train .* remove {run} and"):
        standings(grid)


def test_a_run_folder_that_cannot_be_used_fails_its_job_with_what_to_do(tmp_path) -> None:
    grid, run = damaged(tmp_path)
    for content in run.iterdir():
        content.unlink()
    (run / "notes.txt").touch()
    error = run_job(grid.jobs[0])
    assert error is not None
    assert "exists already" in error
    assert error.endswith(f"remove {run} and call bench as before")
