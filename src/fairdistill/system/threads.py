"""How many processors and threads there are, and how idle threads wait; importing this does not load PyTorch."""

from __future__ import annotations

import os
from typing import Literal

from fairdistill.errors import UsageError

ThreadCount = int | Literal["auto"] | None
"""A number of CPU threads, or auto: whatever is fastest; None means auto, too."""

_MOST = 1024
# GCC's OpenMP reads the first, those of LLVM and Intel the second.
_PASSIVE = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}
_CHOICES = (*_PASSIVE, "GOMP_SPINCOUNT")
_BLAS_CHOICES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def wait_passively() -> None:
    """Let OpenMP threads sleep while they wait for each other; those that spin take time from threads that work.

    The threads of OpenBLAS, which NumPy and SciPy come with, spin whatever one sets, so there is only one. (With two on
    two busy cores, a step of L-BFGS over 1,290 numbers takes 10 to 20 times longer.) PyTorch has threads of its own.

    It affects this process if PyTorch and NumPy are not loaded yet, and every process that is started from now on.
    Whatever the user has chosen in the environment stays.
    """
    if not any(name in os.environ for name in _CHOICES):
        os.environ.update(_PASSIVE)
    if not any(name in os.environ for name in _BLAS_CHOICES):
        os.environ["OPENBLAS_NUM_THREADS"] = "1"


def check_threads(value: object) -> None:
    """Raise a UsageError unless a value is a :data:`ThreadCount`.

    Example:
        >>> check_threads(0)
        Traceback (most recent call last):
        fairdistill.errors.UsageError: expected threads to be auto or a whole number from 1 to 1024, but got 0
    """
    if value is None or value == "auto":
        return
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
        raise UsageError(f"expected threads to be auto or a whole number from 1 to {_MOST}, but got {value!r}")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
