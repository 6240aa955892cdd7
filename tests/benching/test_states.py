"""The states of a grid's jobs, told from the files in its folder."""

from __future__ import annotations

from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.benching.states import record_failure, standing, standings


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
