"""A weights file with some of its tensors changed and everything else in it kept."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError
from fairdistill.models.checkpoint import find_weights
from fairdistill.models.prefixes import common_prefix
from fairdistill.models.weights import load_content, open_weights, part_of


def rewritten(path: Path, changes: Mapping[str, Tensor], *, names: Iterable[str], key: str | None = None) -> bytes:
    """Return a weights file's content with some tensors changed; names, types, shapes and everything else are kept.

    Args:
        path: a ``.safetensors`` file, whose metadata are kept, or a file of ``torch.save``, whose other content (an
            epoch, an optimizer's state, averaged weights) is kept.
        changes: new values by the network's own names, as many numbers each as the present ones.
        names: the names of all of the network's parameters and buffers.
        key: the key that the weights are read from, if the user named it.

    Raises:
        UsageError: if the file cannot be read, or a tensor is missing or has another size.
    """
    names = list(names)
    file = part_of(open_weights(path, key=key), names, where=str(path))
    inside, own = file.prefix + common_prefix(file.tensors), common_prefix(dict.fromkeys(names))
    new = {inside + name.removeprefix(own): value for name, value in changes.items()}
    if path.suffix == ".safetensors":
        tensors = _replaced(file_tensors(path), new, path)
        return safetensors.torch.save(tensors, metadata=file.metadata or None)
    content = load_content(path)
    place: list[str] = []
    if key is not None and _path_to(content, key) is None:  # the start of the names in a single dictionary
        new = {f"{key.rstrip('.')}.{name}": value for name, value in new.items()}
        key = find_weights(content, path).key
    else:
        key = file.key
    if key is not None:
        place = _path_to(content, key) or []
    buffer = io.BytesIO()
    torch.save(_changed(content, place, new, path), buffer)
    return buffer.getvalue()


def file_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors`` file under the names in it."""
    with safetensors.safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no mapping


def _path_to(content: Any, key: str) -> list[str] | None:
    """Return the keys that lead to a dictionary, from their names joined by dots; None if there is no such one."""
    if not isinstance(content, Mapping):
        return None
    if isinstance(content.get(key), Mapping):
        return [key]
    for name, value in content.items():
        if isinstance(name, str) and key.startswith(f"{name}."):
            rest = _path_to(value, key.removeprefix(f"{name}."))
            if rest is not None:
                return [name, *rest]
    return None


def _changed(content: Any, place: list[str], new: Mapping[str, Tensor], path: Path) -> Any:
    """Return a copy of nested dictionaries in which the one at ``place`` has new tensors."""
    if not place:
        return _replaced(content, new, path)
    changed = copy.copy(content)
    changed[place[0]] = _changed(content[place[0]], place[1:], new, path)
    return changed


def _replaced(tensors: Any, new: Mapping[str, Tensor], path: Path) -> Any:
    changed = copy.copy(tensors)
    for name, value in new.items():
        old = tensors.get(name)
        if not isinstance(old, Tensor) or old.numel() != value.numel() or not old.is_floating_point():
            raise UsageError(f"{path} has no tensor {name} with {value.numel():,} numbers to be replaced")
        tensor = value.detach().cpu().reshape(old.shape).to(old.dtype).contiguous().clone()
        changed[name] = nn.Parameter(tensor, old.requires_grad) if isinstance(old, nn.Parameter) else tensor
    return changed
