"""Sending run folders between machines without shared storage, in an order that keeps them resumable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fairdistill.benching.jobs import Job
from fairdistill.runs import RunFolder, new_folder, write_bytes

Files = Mapping[str, bytes]
"""Contents by path inside a run folder."""

Stamp = tuple[int, int]
"""Modification time and size of a file."""

CHECKPOINT, RESULT = "checkpoint/state.pt", "result.json"


def stamps(folder: Path) -> dict[str, Stamp]:
    """Return the stamp of each complete file of a run folder; empty if there is no folder yet."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".part":
            status = path.stat()
            found[path.relative_to(folder).as_posix()] = (status.st_mtime_ns, status.st_size)
    return found


def read_files(folder: Path, names: Collection[str]) -> Files:
    """Return the contents of files, the checkpoint first: read before the log, it cannot be ahead of it."""
    ordered = sorted(names, key=lambda name: name != CHECKPOINT)
    return {name: (folder / name).read_bytes() for name in ordered}


def write_files(job: Job, files: Files) -> None:
    """Write files into a job's run folder; a new folder appears whole or not at all.

    An existing folder keeps its configuration; that of a new one gets the paths of this machine.

    Raises:
        RunFolderError: if another process created the folder in the meantime.
    """
    if (job.path / "config.yaml").exists():
        _write(job.path, {name: content for name, content in files.items() if name != "config.yaml"})
        return
    with new_folder(job.path) as part:
        _write(part, files)
        RunFolder(part).move(job.places)


def _write(folder: Path, files: Files) -> None:
    """Write the log before the checkpoint, so that it is never behind, and the result last: it marks a run as done."""
    for name in sorted(files, key=lambda name: (name == RESULT, name == CHECKPOINT)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, files[name])
