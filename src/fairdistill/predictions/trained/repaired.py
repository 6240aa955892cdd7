"""A trained model with another last layer: in memory, and as the user's own file with that layer changed."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from fairdistill.errors import LastLayerError, UsageError
from fairdistill.models import open_weights
from fairdistill.models.description.beside import described_beside
from fairdistill.models.files.kinds import is_program
from fairdistill.models.files.rewriting import Change, rewritten
from fairdistill.models.files.weights import part_of
from fairdistill.models.last_layer.layer import LastLayer, set_layer
from fairdistill.predictions.trained.model import DeployedModel
from fairdistill.predictions.trained.source import ModelSource, open_run
from fairdistill.runs import write_bytes


def with_last_layer(model: DeployedModel, layer: LastLayer, weight: Tensor, bias: Tensor) -> DeployedModel:
    """Return a copy of a model with another last layer.

    Args:
        model: the model; it stays as it is.
        layer: its last layer.
        weight: ``[C, D]``, in the order of the data set's classes.
        bias: ``[C]``.

    Raises:
        LastLayerError: if the layer has no bias and the new one needs it.
    """
    network = copy.deepcopy(model.network)
    set_layer(network, layer, weight.float(), bias.float())
    state = hashlib.blake2b(model.digest.encode(), digest_size=16)
    for values in (weight, bias):
        state.update(values.detach().float().cpu().contiguous().numpy().tobytes())
    return replace(model, network=network, digest=state.hexdigest())


def write_with_last_layer(source: ModelSource, layer: LastLayer, weight: Tensor, bias: Tensor, target: Path) -> Path:
    """Write the user's own weights file with its last layer changed, so that it loads wherever the old one did.

    Everything else in the file is kept: names, prefixes, types, metadata, other weights, an optimizer's state. The
    configuration files beside it that say how it is read are copied. The file appears whole or not at all.

    Args:
        source: the model as it was loaded: a run folder or a weights file.
        layer: its last layer.
        weight: ``[C, D]``, in the order of the data set's classes.
        bias: ``[C]``.
        target: the new file; it has the extension of the old one.

    Returns:
        ``target``.

    Raises:
        LastLayerError: for an exported program, or if the layer has no bias and the new one needs it.
        UsageError: if the target cannot be written, or the model's file is not the one that the layer came from.
    """
    path = file_of(source)
    if is_program(path):
        raise LastLayerError(f"{path} is a complete program: its last layer cannot be changed")
    if target.suffix != path.suffix:
        raise UsageError(f"{target} must end in {path.suffix}, as {path} does")
    if target.resolve() == path.resolve():
        raise UsageError(f"{target} is the model's own file; choose another one")
    old, new = layer.own(layer.weight, layer.bias), layer.own(weight.float(), bias.float())
    changes = {f"{alias}.{name}": Change(old[name], new[name]) for alias in layer.aliases for name in new}
    content = rewritten(path, changes, names=layer.names, key=source.weights_key)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_beside(path, target.parent)
        write_bytes(target, content)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error
    return target


def repair_notes(source: ModelSource, layer: LastLayer) -> tuple[str, ...]:
    """Return what a reader should know about a file with a changed last layer, one sentence each."""
    path = file_of(source)
    file = part_of(open_weights(path, key=source.weights_key), layer.names, where=str(path))
    if not file.others:
        return ()
    where = f"under {file.key!r}" if file.key is not None else f"that start with {file.prefix!r}"
    others = ", ".join(map(repr, file.others))
    return (f"The new file changes only the weights {where}; those under {others} are as they were",)


def file_of(source: ModelSource) -> Path:
    """Return the weights file of a model: itself, or the one in its run folder."""
    run = open_run(source)
    return Path(source.path) if run is None else run.path / "model.safetensors"


def copy_beside(path: Path, folder: Path) -> None:
    """Copy the configuration files that say how a weights file is read to the folder of another one."""
    for name in described_beside(path).files:
        old, new = path.parent / name, folder / name
        if new.exists() and new.read_bytes() != old.read_bytes():
            raise UsageError(f"{new} exists and differs from {old}, which belongs to the model; choose another folder")
        if not new.exists():
            write_bytes(new, old.read_bytes())
