"""Joining a Ray cluster: what cannot be joined is said soon, in a line, and nothing is written."""

from __future__ import annotations

import socket
import sys

import pytest
import ray

from fairdistill.benching.ray import cluster
from fairdistill.cli.main import main
from fairdistill.errors import UsageError

RAY = ["bench", "digits-s", "--engine", "ray"]


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Run a command that must fail; return its one line."""
    monkeypatch.chdir(tmp_path)

    def of(*arguments: str) -> str:
        assert main(list(arguments)) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("fairdistill: error: ")
        assert shown.err.count("\n") == 1
        assert not list(tmp_path.iterdir())
        return shown.err

    return of


@pytest.fixture
def deaf():
    """A port that listens and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_cluster_that_is_not_there_is_named_with_the_way_out(refused):
    with socket.socket() as bound:  # a port of our own on which nobody listens
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        for form in (address, f"ray://{address}"):
            said = refused(*RAY, "--address", form)
            assert f"cannot reach a Ray cluster at {form} (" in said
            assert "start it with `ray start --head`" in said
            assert "--address HOST:PORT" in said


def test_what_listens_but_is_no_ray_is_not_waited_for_long(refused, deaf, monkeypatch):
    monkeypatch.setattr(cluster, "_JOIN_SECONDS", 0.5)
    assert f"cannot join a Ray cluster at 127.0.0.1:{deaf}: Ray did not answer" in refused(
        *RAY, "--address", f"127.0.0.1:{deaf}"
    )


def test_what_ray_says_of_a_cluster_that_cannot_be_joined_is_passed_on(refused, deaf, monkeypatch):
    monkeypatch.setattr(cluster, "_JOIN", "import sys; print('W noise', file=sys.stderr); sys.exit('another version.')")
    assert f"at 127.0.0.1:{deaf}: another version; start" in refused(*RAY, "--address", f"127.0.0.1:{deaf}")


def test_a_cluster_that_does_not_start_is_an_error_with_the_way_out(refused, monkeypatch):
    def slow(*_arguments, **_options):
        raise Exception("The current node timed out during startup.\nThis could happen.")  # as Ray does

    monkeypatch.setattr(ray, "init", slow)
    said = "cannot start Ray here: The current node timed out during startup. This could happen; drop --engine ray"
    assert said in refused(*RAY)


def test_without_ray_the_line_that_installs_it_is_said(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "needs Ray; install it with: pip install 'fairdistill[ray]'" in refused(*RAY)


def test_under_torchrun_there_is_no_bench(refused, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert "torchrun ... -m fairdistill train" in refused("bench", "digits-s")


@pytest.mark.parametrize(
    ("machines", "cpus", "gpus", "room"),
    [
        ([{"CPU": 4.0}], 1, 0, 4), ([{"CPU": 4.0}, {"CPU": 3.0}, {}], 2, 0, 3), ([{"CPU": 3.0}], 0.5, 0, 6),
        ([{"CPU": 16.0, "GPU": 2.0}], 1, 0.3, 6),  # a share is of one GPU: three on each
        ([{"CPU": 16.0, "GPU": 2.0}, {"CPU": 64.0}], 1, 0.1, 16), ([{"CPU": 16.0, "GPU": 3.0}], 1, 2, 1),
    ],
)  # fmt: skip
def test_room_is_what_every_machine_has(machines, cpus, gpus, room):
    assert cluster.room(machines, cpus, gpus) == room


@pytest.mark.parametrize(("cpus", "gpus"), [(5, 0), (1, 0.5), (1, 2)])
def test_a_run_that_no_machine_has_room_for_is_refused(cpus, gpus):
    with pytest.raises(UsageError, match=r"no machine .* they have 4 CPU and 0 GPU, 1 CPU and 0 GPU\. Reduce --cpus"):
        cluster.checked_room([{"CPU": 4.0}, {"CPU": 1.0}], cpus, gpus)
