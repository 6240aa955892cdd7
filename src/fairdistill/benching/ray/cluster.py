"""Joining a Ray cluster by its address, or starting one on this machine for as long as it is needed."""

from __future__ import annotations

import logging
import math
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from types import ModuleType
from typing import Any

from fairdistill.benching.ray.machines import Brief
from fairdistill.errors import UsageError
from fairdistill.system.optional import needed
from fairdistill.system.threads import processors, wait_passively

_CONNECT_SECONDS = 5.0
_JOIN_SECONDS = 45.0
_OBJECT_STORE_BYTES = 2**27  # runs exchange nothing through it; by default Ray would take a third of the memory

# Joins as bench will, and prints in one line why that fails.
_JOIN = """
import logging, sys
import ray
try:
    ray.init(sys.argv[1], logging_level=logging.CRITICAL, log_to_driver=False)
except Exception as error:
    why = error.__cause__ or error
    sys.exit((str(why).strip() or repr(why)).splitlines()[-1])
"""


@contextmanager
def joined(address: str | None, *, cpus: float, gpus: float) -> Iterator[int]:
    """Join a cluster, or start one on this machine, and leave it at the end; give the number of runs that fit.

    Args:
        address: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; None: start one.
        cpus: CPUs per run.
        gpus: GPUs per run.

    Raises:
        UsageError: if Ray is not installed, the cluster cannot be joined, or no machine is large enough.
    """
    ray = needed("ray", extra="ray", by="--engine ray needs", name="Ray")
    with redirect_stdout(Brief(sys.stderr)):  # Ray prints events of its workers; standard output is for our table
        if address is None:
            _start(ray)
        else:
            _check_joinable(address)
            ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
        try:
            yield checked_room([node["Resources"] for node in ray.nodes() if node["Alive"]], cpus, gpus)
        finally:
            ray.shutdown()


def _start(ray: ModuleType) -> None:
    wait_passively()
    try:
        ray.init(
            "local",
            num_cpus=processors(),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except Exception as error:  # Ray raises bare ones, for example if the machine is too busy to start it in time
        why = " ".join(str(error).split()).rstrip(".") or repr(error)
        raise UsageError(f"cannot start Ray here: {why}; drop --engine ray to run without it") from error


def _check_joinable(address: str) -> None:
    """Raise a UsageError quickly if a cluster cannot be joined: ray.init tries for minutes and may end the process."""
    remedy = "start it with `ray start --head`, or give the address of a running one with --address HOST:PORT"
    if address != "auto":
        host, _, port = address.removeprefix("ray://").rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot reach a Ray cluster at {address} ({error}); {remedy}") from error
    try:
        done = subprocess.run(
            [sys.executable, "-c", _JOIN, address], capture_output=True, text=True, timeout=_JOIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"cannot join a Ray cluster at {address}: Ray did not answer; {remedy}") from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise UsageError(f"cannot join a Ray cluster at {address}: {why.rstrip('.')}; {remedy}")


def room(machines: Sequence[Mapping[str, Any]], cpus: float, gpus: float) -> int:
    """Return how many runs fit on the machines at a time; a fraction of a GPU never spans two GPUs.

    Args:
        machines: what Ray calls the resources of each.
        cpus: CPUs per run.
        gpus: GPUs per run.
    """
    found = 0
    for machine in machines:
        fits = [_times(machine.get("CPU", 0), cpus)]
        if gpus > 1:
            fits.append(_times(machine.get("GPU", 0), gpus))
        elif gpus > 0:
            fits.append(int(machine.get("GPU", 0)) * _times(1, gpus))
        found += min(fits)
    return found


def checked_room(machines: Sequence[Mapping[str, Any]], cpus: float, gpus: float) -> int:
    """Return :func:`room`; raise a UsageError if there is none."""
    found = room(machines, cpus, gpus)
    if not found:
        have = ", ".join(f"{machine.get('CPU', 0):g} CPU and {machine.get('GPU', 0):g} GPU" for machine in machines)
        raise UsageError(
            f"no machine of the Ray cluster has room for a run with {cpus:g} CPU and {gpus:g} GPU; they have {have}. "
            "Reduce --cpus-per-run or --gpus-per-run"
        )
    return found


def _times(whole: float, part: float) -> int:
    return math.floor(whole / part + 1e-9)
