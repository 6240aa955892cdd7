"""A finished run's network, as a plain module."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from fairdistill.errors import RunFolderError, UsageError
from fairdistill.models import build, load_weights, read_weights, trust_code
from fairdistill.models.folder import nearest
from fairdistill.runs.files import resume_command
from fairdistill.runs.folder import RunFolder
from fairdistill.text.parsing import from_json


def load(path: str | Path, *, model: str | None = None) -> nn.Module:
    """Return the trained network of a run folder: a plain module in eval mode.

    A network defined by your own code (``package.module:factory``) is built by calling that code again, so it must be
    importable. Since a run folder may come from elsewhere, its code is imported only if you name it.

    Args:
        path: a finished run folder.
        model: the name of its network, ``package.module:factory``, needed only if it is your own code.

    Raises:
        RunFolderError: if it is not a run folder, the run is not finished, or its network cannot be built again.

    Example:
        >>> network = load("runs/digits-s-mfd-seed0")  # doctest: +SKIP
    """
    trust_code(model)
    run = RunFolder.open(path)
    file = run.path / "model.safetensors"
    if not file.exists():
        raise RunFolderError(
            f"{path} has no model.safetensors: the run is not finished; continue it with: {resume_command(path)}"
        )
    try:
        weights, metadata = read_weights(file)
    except UsageError as error:
        raise RunFolderError(str(error)) from error
    try:
        name, size = str(nearest(metadata["network"], run.path)), metadata.get("image_size")
        num_classes = len(from_json(metadata["class_names"]))
        image_size = int(size) if size is not None else None
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{file} lacks the metadata that describes it: {type(error).__name__}: {error}") from error
    try:
        network = build(name, num_classes, image_size=image_size)
        load_weights(network, weights, where=str(file))
    except UsageError as error:
        raise RunFolderError(f"cannot rebuild the network {name} of {path}: {error}") from error
    return network.eval()
