"""The folder of a study: which study it holds, and which of several processes trains which trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from fairdistill.contract import Result
from fairdistill.errors import RunFolderError
from fairdistill.runs import check_new_folder, new_folder, read_json, write_json
from fairdistill.system.locks import held, take


@dataclass(frozen=True, kw_only=True)
class StudyRecord(Result):
    """Which study a folder holds; ``study.json``.

    Attributes:
        identity: what must be equal for a search to continue in the folder.
        study: the study's name.
        storage: where the study is kept.
        fairdistill: the version that started it.
    """

    identity: Mapping[str, Any]
    study: str
    storage: str
    fairdistill: str


def former(out: Path) -> StudyRecord | None:
    """Return which study a folder holds; None if a new study can be created there.

    Raises:
        RunFolderError: if it holds something else or cannot be created; nothing is written.
    """
    if (out / "study.json").exists():
        content = read_json(out / "study.json")
        return StudyRecord(**{name: content[name] for name in StudyRecord.__dataclass_fields__})
    check_new_folder(out, kind="study")
    return None


def begin(out: Path, record: StudyRecord) -> None:
    """Create the folder of a new study, whole or not at all; another process may just have created it."""
    try:
        with new_folder(out) as part:
            write_json(part / "study.json", record.to_dict())
    except RunFolderError:
        if not (out / "study.json").exists():
            raise


def renew(out: Path, record: StudyRecord) -> None:
    """Record a study anew: nothing has been trained for it yet, and its own code has changed."""
    write_json(out / "study.json", record.to_dict())


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the study while trials are handed out or one is chosen; other processes of this machine wait."""
    with held(out / ".lock"):
        yield


def claim(out: Path, number: int) -> filelock.BaseFileLock | None:
    """Return the lock of a trial, held, or None if another process trains it. A killed process loses its locks."""
    return take(out / f".trial-{number}.lock")


def trial_path(out: Path, number: int) -> Path:
    """Return the run folder of a trial."""
    return out / f"trial-{number}"
