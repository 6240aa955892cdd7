"""A cluster of two machines, one of which is lost in the middle of a grid; what is said of it, in one line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairdistill.benching.jobs import Job
from fairdistill.benching.ray import remote
from fairdistill.benching.ray.machines import Brief, loss, watched
from fairdistill.benching.states import standing
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from tests.benching.ray.grids import GRID, assert_same, small_grid

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

SEEN_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300, "health_check_failure_threshold": 2}


@pytest.fixture
def machines() -> Iterator[Cluster]:
    """A cluster of two machines that run one job each: two raylets, each with workers of its own."""
    utilities = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    cluster = utilities.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": SEEN_SOON},
    )
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def job_on(raylet: int, jobs: Sequence[Job]) -> Job | None:
    """Return the job whose lock a worker of this raylet holds."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == raylet:
                open_files = {os.readlink(each) for each in (stat.parent / "fd").iterdir()}
                for job in jobs:
                    if str(job.lock_path) in open_files:
                        return job
    return None


def kill_second(machines: Cluster, jobs: Sequence[Job], killed: list[tuple[Job, str]]) -> None:
    """Kill the second machine as soon as the job on it has a checkpoint and goes on."""
    (second,) = machines.worker_nodes
    raylet = second.all_processes["raylet"][0].process.pid
    while True:
        job = job_on(raylet, jobs)
        if job is not None and (job.path / "checkpoint/state.pt").exists() and standing(job).state == "running":
            break
        time.sleep(0.1)  # each look reads all processes
    killed.append((job, (job.path / "log.jsonl").read_text()))
    machines.remove_node(second, allow_graceful=False)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is known on Linux alone")
@pytest.mark.timeout(900)  # seconds on an idle machine
def test_a_grid_is_finished_by_the_machine_that_is_left(tmp_path, machines, here, monkeypatch, capfd):
    monkeypatch.setattr(remote, "_LOOK_SECONDS", 0.2)
    out, killed = tmp_path / "g", list[tuple[Job, str]]()
    grid = small_grid(out, "ss,scratch", engine="ray")
    killer = threading.Thread(target=kill_second, args=(machines, grid.jobs, killed), daemon=True)
    killer.start()
    budget = ["--epochs", str(GRID["epochs"]), "--teacher-epochs", str(GRID["teacher_epochs"])]
    options = ["--methods", "ss,scratch", "--seeds", "0", "--protocol", "honest", "--precision", "float32", *budget]
    code = main(["bench", "digits-s", *options, "--engine", "ray", "--address", machines.address, "--out", str(out)])
    shown = capfd.readouterr()
    assert code == 0
    killer.join(0.0)
    for job in grid.jobs:
        assert_same(job, here)
        steps = [row["step"] for row in RunFolder.open(job.path).read_log()]
        assert steps == sorted(set(steps))
        assert len(steps) == GRID["epochs"]
    said = shown.err.splitlines()
    ((moved, log),) = killed
    (lost,) = [line for line in said if "lost its worker" in line]
    assert f" {moved.path.name}: lost its worker, continuing with another one (" in lost
    first = (moved.path / "log.jsonl").read_text().splitlines()[0]
    assert first == log.splitlines()[0]  # with its time: the run went on where it was
    (line,) = [line for line in said if line.startswith("the machine ")]
    assert line.endswith(") was lost; its runs continue on the others, which have room for 1 at a time")
    assert not [line for line in said if "raylet" in line]
    rows = [line.split()[0] for line in shown.out.splitlines() if line.strip()]
    assert [rows.count(name) for name in ("scratch", "ss")] == [1, 1]
    assert not list(out.glob(".bench-*"))
    assert not list(out.glob("*.failed.json"))


def node(number: int, alive: bool = True, cpus: float = 1.0) -> dict[str, object]:
    return {
        "NodeID": str(number), "Alive": alive, "Resources": {"CPU": cpus}, "NodeManagerHostname": f"m{number}",
        "NodeManagerAddress": f"10.0.0.{number}",
    }  # fmt: skip


def test_each_machine_is_said_to_be_lost_once_those_that_join_later_too():
    looks = iter([[node(1), node(2)], [node(1), node(2), node(3)], [node(1), node(2, False), node(3)],
                  [node(1), node(2, False), node(3)], [node(1), node(2, False), node(3, False)]])  # fmt: skip
    said, done = [], threading.Event()

    def nodes() -> list[dict[str, object]]:
        found = next(looks, None)
        if found is None:
            done.set()
            raise ConnectionError("no head")
        return found

    with watched(nodes, lambda machine, left: said.append((machine["NodeID"], len(left))), 0.0):
        assert done.wait(10)
    assert said == [("2", 2), ("3", 1)]


def test_without_room_on_the_others_the_line_says_what_is_waited_for():
    line = loss(node(7), 0)
    assert line.startswith("the machine m7 (10.0.0.7) was lost; its runs wait for another machine")
    assert "\n" not in line


def test_what_ray_prints_of_raylets_is_one_line_at_most():
    to = io.StringIO()
    print("\x1b[33m(raylet)\x1b[0m Raylet is terminated. Last 20 lines:\n    a\n    b", file=Brief(to))
    print("\x1b[33m(raylet, ip=10.0.0.7)\x1b[0m /tmp is over 95% full.\n    details", file=Brief(to))
    print(json.dumps({"ours": 1}, indent=1), file=Brief(to))
    assert [line for line in to.getvalue().splitlines() if line] == [
        "\x1b[33m(raylet, ip=10.0.0.7)\x1b[0m /tmp is over 95% full.", "{", ' "ours": 1', "}",
    ]  # fmt: skip
