"""Grids on a real Ray cluster: the numbers of the local engine, whatever becomes of its workers and disks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import ray
from ray.cluster_utils import Cluster
from ray.exceptions import ActorDiedError

from fairdistill.benching.jobs import Job
from fairdistill.benching.ray import remote
from fairdistill.benching.ray.cluster import joined
from fairdistill.benching.ray.remote import Share, run_on_ray
from fairdistill.benching.states import standing
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from tests.benching.ray.grids import GRID, assert_same, small_grid

pytestmark = pytest.mark.timeout(900)  # a worker begins in seconds, but on a busy machine in a minute

TWO = Share(cpus=1, gpus=0, workers=2)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a cluster of one machine that runs two jobs at a time."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def on_ray(address) -> Iterator[None]:
    with joined(address, cpus=1, gpus=0) as room:
        assert room == 2
        yield


@pytest.fixture
def seen_by_nobody(tmp_path, monkeypatch) -> None:
    """Look for the grid where there is none, as a machine does that has other disks."""
    monkeypatch.setattr(remote, "_mark", lambda folder: contextlib.nullcontext(tmp_path / "other-disk/mark"))


class Killer:
    """Hears of a grid, and kills the first worker of one row as soon as its run and a checkpoint are seen here."""

    def __init__(self, row: str) -> None:
        self.row, self.heard, self.log = row, [], ""
        self._aimed = False

    def __call__(self, job: Job, state: str) -> None:
        self.heard.append((job.row, state))
        if job.row == self.row and not self._aimed:
            self._aimed = True
            threading.Thread(target=self._kill, args=(job, int(state.rpartition(" ")[2])), daemon=True).start()

    def _kill(self, job: Job, process: int) -> None:
        while not ((job.path / "checkpoint/state.pt").exists() and standing(job).state == "running"):
            time.sleep(0.005)
        self.log = (job.path / "log.jsonl").read_text()
        os.kill(process, signal.SIGKILL)

    def check(self, job: Job) -> None:
        """Check that the worker was lost, and that the run went on where it was: its first row keeps its time."""
        states = [state for row, state in self.heard if row == self.row]
        assert [state.split(" ")[0] for state in states] == ["running", "lost", "running", "done"]
        assert states[0] != states[2]
        log = (job.path / "log.jsonl").read_text()
        assert log.splitlines()[0] == self.log.splitlines()[0]
        steps = [json.loads(line)["step"] for line in log.splitlines()]
        assert steps == sorted(set(steps))
        assert len(steps) == GRID["epochs"]


def test_a_grid_on_ray_finds_what_it_finds_here_though_a_worker_is_lost_and_a_job_fails(tmp_path, on_ray, here):
    grid, killer = small_grid(tmp_path / "g", "ad,scratch,mfd", engine="ray"), Killer("scratch")
    rows = {job.row: job for job in grid.jobs}
    (rows["ad"].path / "in the way").mkdir(parents=True)
    assert not run_on_ray(grid, TWO, report=killer, notice=print)
    killer.check(rows["scratch"])
    for row in ("scratch", "mfd"):
        assert_same(rows[row], here)
    assert killer.heard.index(("scratch", "done")) < [row for row, _ in killer.heard].index("mfd")
    assert [state.split(" ")[0] for row, state in killer.heard if row == "ad"] == ["running", "failed"]
    assert "exists already" in standing(rows["ad"]).detail
    assert not list(grid.path.glob(".bench-*"))


def test_from_machines_with_other_disks_every_run_comes_home_also_when_a_worker_is_lost(
    tmp_path, on_ray, here, seen_by_nobody
):
    grid, killer = small_grid(tmp_path / "g", "scratch,mfd", engine="ray"), Killer("mfd")
    assert run_on_ray(grid, TWO, report=killer, notice=print, every=0.05)
    killer.check(grid.jobs[1])
    for job in grid.jobs:
        local = assert_same(job, here)
        config = RunFolder.open(job.path).config
        assert {name: config[name] for name in job.places} == job.places
        of_local = {path.relative_to(local.path) for path in local.path.rglob("*")}
        assert {path.relative_to(job.path) for path in job.path.rglob("*")} == of_local
    assert not (tmp_path / "other-disk").exists()
    assert not (grid.path / ".teacher-cache").exists()  # every worker had one of its own


def test_a_job_that_loses_every_worker_fails_at_last(tmp_path, monkeypatch):
    grid, heard = small_grid(tmp_path / "g", "scratch", engine="ray"), []
    crew = remote._Crew(tmp_path, TWO, report=lambda job, state: heard.append(state), every=0.0)

    def lose(job: Job) -> None:
        raise ActorDiedError

    monkeypatch.setattr(crew, "_run_once", lose)
    error = crew.run(grid.jobs[0])
    said = "The actor died unexpectedly before finishing this task."
    assert error == f"lost its worker 4 times without a new checkpoint; the last time: {said}"
    assert [state.split(" ")[0] for state in heard] == ["lost"] * 3


def test_what_a_dead_machine_still_holds_is_waited_for(tmp_path, monkeypatch):
    (job,) = small_grid(tmp_path / "g", "scratch", engine="ray").jobs
    crew = remote._Crew(tmp_path, TWO, report=lambda job, state: None, every=0.0)
    lock = RunFolder.create(job.path, config={"seed": 0}, environment={}).lock()
    lock.__enter__()
    waited = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        lock.__exit__(None, None, None)
        return False

    monkeypatch.setattr(crew._dismissed, "wait", wait)
    crew._wait_until_free(job)
    assert waited == [1.0]
    assert standing(job).state == "stopped"
    with RunFolder.open(job.path).lock():  # never freed, so it is another process's
        monkeypatch.setattr(remote, "_LOCK_SECONDS", 0.0)
        crew._wait_until_free(job)


def test_the_command_starts_a_cluster_here_and_stops_it(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home folder
    grid = ["--methods", "ss", "--seeds", "0", "--protocol", "honest", "--epochs", "1", "--out", str(tmp_path / "g")]
    assert main(["bench", "digits-s", "--engine", "ray", *grid]) == 0
    shown = capfd.readouterr()
    assert shown.out.splitlines()[0].split()[0] == "Method"
    assert ": done" in shown.err.splitlines()[-1]
    assert not ray.is_initialized()


def test_a_job_that_loses_its_workers_but_gets_on_does_not_fail(tmp_path, monkeypatch):
    (job,) = small_grid(tmp_path / "g", "scratch", engine="ray").jobs
    crew = remote._Crew(tmp_path, TWO, report=lambda job, state: None, every=0.0)
    state, times = job.path / "checkpoint/state.pt", iter(range(10))

    def lose(job: Job) -> None:
        at = next(times, None)
        if at is None:
            return
        state.parent.mkdir(parents=True, exist_ok=True)
        state.touch()
        os.utime(state, ns=(at, at))
        raise ActorDiedError

    monkeypatch.setattr(crew, "_run_once", lose)
    assert crew.run(job) is None
