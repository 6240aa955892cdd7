"""Saving and loading the state of a run: whole or not at all, and nothing but tensors and plain values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from fairdistill.contract import present_names
from fairdistill.errors import RunFolderError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state`` to ``path``, replacing the former one only when it is safely on disk."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state in ``path``, on the CPU; nothing in it is executed.

    Raises:
        RunFolderError: if the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load documents no set of exceptions for damaged files
        raise RunFolderError(f"cannot read the checkpoint {path}: {error}; start anew with another --out") from error
    return {**state, **_under_present_names(state)}


def _under_present_names(state: dict[str, Any]) -> dict[str, Any]:
    """Return what earlier versions kept under other names of terms, under today's."""
    found: dict[str, Any] = {}
    if "objective" in state:
        terms = {key.removeprefix("terms."): value for key, value in state["objective"].items()}
        found["objective"] = {f"terms.{key}": value for key, value in present_names(terms).items()}
    if "meter" in state:
        found["meter"] = {**state["meter"], "sums": present_names(state["meter"]["sums"])}
    return found
