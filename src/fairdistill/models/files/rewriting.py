"""A weights file with some of its tensors changed and everything else in it kept."""

from __future__ import annotations

import copy
import functools
import io
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError
from fairdistill.models.files.checkpoint import find_weights
from fairdistill.models.files.kinds import is_safetensors
from fairdistill.models.files.prefixes import common_prefix
from fairdistill.models.files.records import with_numbers
from fairdistill.models.files.safe_file import safe_bytes
from fairdistill.models.files.weights import open_weights, part_of, read_content


@dataclass(frozen=True)
class Change:
    """A tensor of a network before and after; each has as many numbers as the tensor in the file."""

    old: Tensor
    new: Tensor


def rewritten(path: Path, changes: Mapping[str, Change], *, names: Iterable[str], key: str | None = None) -> bytes:
    """Return a weights file's content with some tensors changed; names, types, shapes and everything else are kept.

    Args:
        path: a ``.safetensors`` file, whose metadata are kept, or a file of ``torch.save``, whose other content (an
            epoch, an optimizer's state, averaged weights) is kept, also what is not read.
        changes: what changes, by the network's own names.
        names: the names of all of the network's parameters and buffers.
        key: the key that the weights are read from, if the user named it.

    Raises:
        UsageError: if the file cannot be read, or it does not hold the old values.
    """
    names = list(names)
    file = part_of(open_weights(path, key=key), names, where=str(path))
    inside, own = file.prefix + common_prefix(file.tensors), common_prefix(dict.fromkeys(names))
    new = {inside + name.removeprefix(own): value for name, value in changes.items()}
    content, metadata, left_out = read_content(path)
    place: list[str] = []
    if key is not None and _path_to(content, key) is None:  # the start of the names in a single dictionary
        new = {f"{key.rstrip('.')}.{name}": value for name, value in new.items()}
        key = find_weights(content, path).key
    else:
        key = file.key
    if key is not None:
        place = _path_to(content, key) or []
    changed = _changed(content, place, new, path)
    if left_out:
        numbers = {name: _at(changed, place)[name] for name in new}
        return with_numbers(path, numbers, lambda: _at(read_content(path).content, place))
    if is_safetensors(path):
        return safe_bytes(changed, metadata)
    buffer = io.BytesIO()
    torch.save(changed, buffer)
    return buffer.getvalue()


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


def _at(content: Any, place: list[str]) -> Any:
    """Return what is at the end of keys that lead there."""
    return functools.reduce(operator.getitem, place, content)


def _changed(content: Any, place: list[str], new: Mapping[str, Change], path: Path) -> Any:
    """Return a copy of nested dictionaries in which the one at ``place`` has new tensors."""
    if not place:
        return _replaced(content, new, path)
    changed = copy.copy(content)
    changed[place[0]] = _changed(content[place[0]], place[1:], new, path)
    return changed


def _replaced(tensors: Any, new: Mapping[str, Change], path: Path) -> Any:
    changed = copy.copy(tensors)
    for name, change in new.items():
        old = tensors.get(name)
        if not isinstance(old, Tensor) or not torch.equal(old.flatten().to(change.old), change.old.flatten()):
            raise UsageError(f"{path} no longer holds the model that was read from it ({name} differs); run this again")
        tensor = change.new.detach().cpu().reshape(old.shape).to(old.dtype).contiguous().clone()
        changed[name] = nn.Parameter(tensor, old.requires_grad) if isinstance(old, nn.Parameter) else tensor
    return changed
