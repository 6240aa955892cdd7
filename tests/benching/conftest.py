from __future__ import annotations

import multiprocessing

import pytest

from fairdistill.benching import local


class Here:
    """In place of a pool of processes: does what it is given at once, in this one."""

    def __init__(self, *_args, **_options) -> None: ...

    def submit(self, function, job):
        future = local.Future()
        future.set_result(function(job))
        return future

    def shutdown(self, **_options) -> None: ...


@pytest.fixture
def in_this_process(monkeypatch):
    """Run jobs here, one after another, instead of in processes of their own."""
    monkeypatch.setattr(local, "ProcessPoolExecutor", Here)


@pytest.fixture(scope="session")
def fork_server():
    """A context whose processes come from one that has loaded torch already: each would take seconds for it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fairdistill.training", "tests.benching.test_local"])
    return context


@pytest.fixture
def warm_processes(fork_server, monkeypatch):
    """Begin the processes of a grid in no time."""
    monkeypatch.setattr(local.multiprocessing, "get_context", lambda _method: fork_server)
