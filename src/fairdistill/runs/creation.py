"""A folder that a command is about to create: checked before any work, and created whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairdistill.errors import RunFolderError
from fairdistill.runs.files import nearest_existing
from fairdistill.system.atomic import sync_folder
from fairdistill.system.unfinished import made, own_name, remove_abandoned


def check_new_folder(path: Path, *, kind: str) -> None:
    """Check that a folder can be created, or exists and is empty; nothing is written.

    Args:
        path: the folder.
        kind: what it is for, for example ``study``; an error says that the folder does not contain one.

    Raises:
        RunFolderError: if it is not empty, is not a folder, or cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunFolderError(f"{path} already exists and does not contain a {kind}; choose another folder with --out")
    check_writable(path)


def check_writable(path: Path) -> None:
    """Raise a RunFolderError if a folder cannot be created or written to; nothing is written."""
    parent = nearest_existing(path)
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise RunFolderError(f"cannot write in {parent}; choose another folder with --out")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill; it gets its name once it is complete, and only one of two processes can claim the name.

    What a killed process left of it is removed.

    Raises:
        RunFolderError: if it cannot be created, or another process has created it.
    """
    part, held = path.with_name(own_name(f".{path.name}")), None
    remove_abandoned(path.parent, f".{path.name}")
    try:
        held = made(part)
        yield part
        sync_folder(part)
        part.replace(path)
        sync_folder(path.absolute().parent)
    except OSError as error:
        raise RunFolderError(f"cannot create {path}: {error.strerror}; choose another folder with --out") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if held is not None:
            os.close(held)
