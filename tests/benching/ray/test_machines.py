"""A cluster of two machines, one of which is lost in the middle of a grid; what is said of it, in one line."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from fairdistill.benching.ray import remote
from fairdistill.benching.ray.machines import Brief, loss, watched
from fairdistill.benching.states import standing
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from tests.benching.ray.grids import GRID, assert_same, small_grid

SEEN_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300, "health_check_failure_threshold": 2}


@pytest.fixture
def machines() -> Iterator[Cluster]:
    """A cluster of two machines that run one job each: two raylets, each with workers of its own."""
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": SEEN_SOON},
    )
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def kill_once_both_run(machines: Cluster, grid: Path, runs: set[str], seen: list[dict[str, str]]) -> None:
    """Kill the second machine as soon as two runs of the grid have a checkpoint and go on."""
    jobs = [job for job in small_grid(grid, "ss,scratch,mfd", engine="ray").jobs if job.row in runs]
    while not all((job.path / "checkpoint/state.pt").exists() and standing(job).state == "running" for job in jobs):
        time.sleep(0.005)
    seen.append({job.row: (job.path / "log.jsonl").read_text() for job in jobs})
    machines.remove_node(machines.worker_nodes.copy().pop(), allow_graceful=False)


@pytest.mark.timeout(900)  # seconds on an idle machine
def test_a_grid_is_finished_by_the_machine_that_is_left(tmp_path, machines, here, monkeypatch, capfd):
    monkeypatch.setattr(remote, "_LOOK_SECONDS", 0.2)
    out, logs = tmp_path / "g", list[dict[str, str]]()
    grid = small_grid(out, "ss,scratch,mfd", engine="ray")
    killer = threading.Thread(target=kill_once_both_run, args=(machines, out, {"ss", "scratch"}, logs), daemon=True)
    killer.start()
    budget = [
        part for name in ("epochs", "teacher_epochs") for part in (f"--{name.replace('_', '-')}", str(GRID[name]))
    ]
    options = ["--methods", "ss,scratch,mfd", "--seeds", "0", "--protocol", "honest", "--precision", "float32", *budget]
    code = main(["bench", "digits-s", *options, "--engine", "ray", "--address", machines.address, "--out", str(out)])
    shown = capfd.readouterr()
    killer.join()
    assert code == 0
    for job in grid.jobs:
        assert_same(job, here)
        steps = [row["step"] for row in RunFolder.open(job.path).read_log()]
        assert steps == sorted(set(steps))
        assert len(steps) == GRID["epochs"]
    said = shown.err.splitlines()
    lost = [line for line in said if "lost its worker" in line]
    assert len(lost) == 1
    assert lost[0].endswith("lost its worker, continuing with another one (it does not answer)") or "step" in lost[0]
    (name,) = {row for row in logs[0] if f" {row}-seed0-" in lost[0]}
    (moved,) = (job for job in grid.jobs if job.row == name)
    first = (moved.path / "log.jsonl").read_text().splitlines()[0]
    assert first == logs[0][name].splitlines()[0]  # with its time: the run went on where it was
    (line,) = [line for line in said if line.startswith("the machine ")]
    assert line.endswith(") was lost; its runs continue on the others, which have room for 1 at a time")
    assert not [line for line in said if "raylet" in line]
    assert [line.split()[0] for line in shown.out.splitlines()[1:4]]
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
