"""How many processors there are, and how idle threads wait; importing this does not load PyTorch."""

from __future__ import annotations

import os


def wait_passively() -> None:
    """Let the threads of processes started from now on sleep while they wait for each other.

    When several runs share the processors, threads that spin take time from threads that work.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
