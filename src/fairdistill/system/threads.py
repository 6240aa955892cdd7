"""How many processors there are, and how idle threads wait; importing this does not load PyTorch."""

from __future__ import annotations

import os

# GCC's OpenMP reads the first, those of LLVM and Intel the second.
_PASSIVE = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}
_CHOICES = (*_PASSIVE, "GOMP_SPINCOUNT")


def wait_passively() -> None:
    """Let OpenMP threads sleep while they wait for each other; those that spin take time from threads that work.

    It affects this process if PyTorch is not loaded yet, and every process that is started from now on. Whatever the
    user has chosen in the environment stays.
    """
    if not any(name in os.environ for name in _CHOICES):
        os.environ.update(_PASSIVE)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
