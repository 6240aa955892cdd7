"""The folder of a study: which study it holds, and who of several processes trains which trial."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from fairdistill.errors import RunFolderError
from fairdistill.runs import RunFolder, read_json, write_json


def former(out: Path) -> dict[str, Any] | None:
    """Return what a folder says of the study it holds; None if it can become a new one's.

    Raises:
        RunFolderError: if it holds something else or cannot be made; nothing is written.
    """
    if (out / "study.json").exists():
        return read_json(out / "study.json")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunFolderError(f"{out} exists already and holds no study; give another folder with --out")
    RunFolder.check_new(out)
    return None


def begin(out: Path, content: Mapping[str, Any]) -> None:
    """Make the folder of a new study, whole or not at all; another process may just have made it."""
    part = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        part.mkdir(parents=True)
        write_json(part / "study.json", content)
        part.replace(out)
    except OSError as error:
        if (out / "study.json").exists():
            return
        raise RunFolderError(f"cannot make {out}: {error.strerror}; give another folder with --out") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the study for this process while trials are given out or one is chosen; others of this machine wait."""
    with filelock.FileLock(out / ".lock"):
        yield


def claim(out: Path, number: int) -> filelock.BaseFileLock | None:
    """Return the lock of a trial, held; None if another process trains it. It is released when this one is killed."""
    lock = filelock.FileLock(out / f".trial-{number}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        return None
    return lock


def trial_path(out: Path, number: int) -> Path:
    """Return the run folder of a trial."""
    return out / f"trial-{number}"
