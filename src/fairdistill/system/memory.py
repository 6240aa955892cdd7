"""Memory: freed memory that is kept or returned, and how much is available."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed blocks of up to 1 GiB for reuse; return whether it supports this.

    By default glibc returns every freed block over 32 MiB to the system. A batch of 128 images of 176 pixels is larger,
    so each batch would cause page faults again: preparing one takes 18 ms instead of 11 ms. Call this only in a process
    of our own, such as the command line; a library should leave its host's memory alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def return_freed_memory() -> None:
    """Return freed memory to the system, after a large table was read: Arrow and the C library keep half of it else."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def available_bytes() -> int | None:
    """Return how much memory a process can still take, None if that is not known.

    It is what the system has available, or what the control group of the process has left, if that is less.
    """
    found = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        limit, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip() for name in ("max", "current"))
        found += [] if limit == "max" else [max(0, int(limit) - int(used))]
    except (OSError, ValueError):  # another system, or no control groups of version 2
        pass
    return min(found, default=None)
