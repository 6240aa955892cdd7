"""Weights in files: read without running any code from them, and loaded into a network."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError
from fairdistill.models.description.class_names import class_names_in
from fairdistill.models.files.checkpoint import find_weights
from fairdistill.models.files.kinds import TABLE, TORCH_SUFFIXES, check_kind, is_of_torch, is_safetensors
from fairdistill.models.files.pickled import read_pickled
from fairdistill.models.files.prefixes import common_prefix, fitting_prefixes, is_beside, without_prefix
from fairdistill.models.files.safe_file import read_safe
from fairdistill.models.head import head_name
from fairdistill.tables.reading import SUFFIXES as TABLES
from fairdistill.text.lists import listed

_COUNTER = "num_batches_tracked"  # missing in files from PyTorch before 0.4.1, and not used by ordinary batch-norm
_SHOWN = 5


@dataclass(frozen=True)
class WeightsFile:
    """The weights in a file.

    Attributes:
        tensors: by name, without the prefix.
        metadata: of a ``.safetensors`` file, else empty.
        key: under which key of the file they are, None if it holds only them.
        others: keys of other weights in it.
        prefix: what was removed from the names.
        class_names: the names of the outputs, if the file tells them.
        left_out: classes of the objects in it that were not read, since that could run code.
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    others: tuple[str, ...] = ()
    prefix: str = ""
    class_names: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()


def open_weights(path: str | Path, *, key: str | None = None) -> WeightsFile:
    """Return the tensors of a file on the CPU, by name, and what else it tells.

    ``.safetensors`` files are read with their metadata. Files of ``torch.save``, usually ``.pt``, ``.pth``, ``.bin`` or
    ``.ckpt``, are read as tensors, plain values and pickled networks, and have no metadata. Weights are read
    from the key ``state_dict``, ``model_state_dict``, ``model``, ``module`` or ``net``, else from the only key that
    holds some. Prefixes such as ``module.``, ``_orig_mod.`` or ``model.`` that every name has are removed.

    Args:
        path: the file.
        key: the key to read instead, for example ``state_dict_ema``, or what the names of the weights begin with.

    Raises:
        UsageError: if there is no such file, it is damaged or has another format, it holds no weights that can be read
            without running code, or the key is missing or needed.
    """
    path = Path(path)
    check_kind(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected a weights file")
    if not path.exists():
        raise UsageError(f"there is no file {path}")
    if not path.is_file():  # reading a named pipe or a device would not end
        raise UsageError(f"{path} is not a regular file; expected a weights file")
    if path.suffix.lower() in TABLES:
        raise UsageError(
            f"{path} is a table; expected a model. A table of predictions is audited without --data: "
            f"fairdistill audit {shlex.quote(str(path))}; fix --predictions takes two of them"
        )
    read = read_content(path)
    found = find_weights(read.content, path, key)
    return WeightsFile(
        without_prefix(found.tensors), read.metadata, found.key, found.others, common_prefix(found.tensors),
        class_names_in(read.content) if isinstance(read.content, Mapping) else None, read.left_out,
    )  # fmt: skip


def part_of(file: WeightsFile, names: Iterable[str], *, where: str) -> WeightsFile:
    """Return only the weights that belong to a network, if a file holds others beside them.

    For example a whole training module with a ``student.`` and a ``teacher.``, or with averaged weights. If several
    parts fit, the one under a usual prefix (``model.``) is taken.

    Args:
        file: the weights.
        names: the names of the network's parameters and buffers.
        where: where the weights come from, for errors.

    Raises:
        UsageError: if several parts fit and none has a usual prefix.
    """
    own = [name for name in without_prefix(dict.fromkeys(names)) if name.rpartition(".")[2] != _COUNTER]
    fitting = fitting_prefixes(file.tensors, own)
    if not fitting or "" in fitting:
        return file
    usual = [prefix for prefix in fitting if common_prefix({prefix: 0}) == prefix]
    if not usual and len(fitting) > 1:
        parts = ", ".join(prefix.rstrip(".") for prefix in fitting)
        raise UsageError(
            f"{where} has weights of the network under several names: {parts}; choose one with --weights-key"
        )
    chosen = usual[0] if usual else fitting[0]
    tensors = {name.removeprefix(chosen): value for name, value in file.tensors.items() if name.startswith(chosen)}
    others = tuple(prefix.rstrip(".") for prefix in fitting if prefix != chosen)
    return replace(file, tensors=tensors, prefix=file.prefix + chosen, others=(*file.others, *others))


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file on the CPU, by name, and its metadata; see :func:`open_weights`."""
    found = open_weights(path)
    return found.tensors, found.metadata


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], *, where: str, new_head: bool = False) -> list[str]:
    """Load weights into a network and return the names that kept the network's own values.

    Values are converted to the network's types. The counters of batch-norm may be missing; what belongs to the training
    (a loss, a count of averaged models) may be there too.

    Args:
        network: the network; it is changed only if the weights fit.
        weights: tensors by name.
        where: where the weights come from, for errors.
        new_head: whether the last layer may have another shape; it then keeps its own values.

    Raises:
        UsageError: if the weights do not fit; the message names missing, unknown and differently shaped tensors.

    Example:
        >>> load_weights(nn.Linear(2, 1), nn.Linear(2, 1).state_dict(), where="memory")
        []
    """
    own = network.state_dict()
    names = dict(zip(without_prefix(own), own, strict=True))
    given = {name: value for name, value in without_prefix(weights).items() if name in names or not is_beside(name)}
    head = head_name(network) if new_head else None
    missing = [name for name in names if name not in given and name.rpartition(".")[2] != _COUNTER]
    unknown = [name for name in given if name not in names]
    reshaped = [name for name in names if name in given and given[name].shape != own[names[name]].shape]
    left = [] if head is None else _of_heads(reshaped, given, {name: own[names[name]] for name in names}, head, names)
    shapes = [
        f"{name} ({_shape(given[name])} instead of {_shape(own[names[name]])})" for name in reshaped if name not in left
    ]
    floats = [name for name in names if name in given and own[names[name]].is_floating_point()]
    whole = [name for name in floats if not given[name].is_floating_point()]
    wrong = {
        "missing from it": missing, "not in the network": unknown, "of another shape": shapes,
        "of whole numbers, as if quantized": whole,
    }  # fmt: skip
    if any(wrong.values()):
        text = "; ".join(f"{kind}: {listed(items, _SHOWN)}" for kind, items in wrong.items() if items)
        raise UsageError(f"the weights of {where} do not fit {type(network).__name__}: {text}")
    fitting = {name: given.get(short, own[name]) for short, name in names.items() if short not in left}
    network.load_state_dict({**own, **fitting})
    return [names[name] for name in left]


def _of_heads(
    reshaped: list[str], given: Mapping[str, Tensor], own: Mapping[str, Tensor], head: str, names: Mapping[str, str]
) -> list[str]:
    """Return the names among ``reshaped`` that belong to the last layer, or to another head of the same width."""
    of_head = [name for name in reshaped if names[name].rpartition(".")[0] == head]
    if not of_head:
        return []
    outputs = (len(given[of_head[0]]), len(own[of_head[0]]))
    return [
        name
        for name in reshaped
        if given[name].ndim
        and own[name].ndim
        and (len(given[name]), len(own[name])) == outputs
        and given[name].shape[1:] == own[name].shape[1:]
    ]


class Content(NamedTuple):
    """What a file holds, its metadata, and the classes of the objects in it that were not read."""

    content: object
    metadata: dict[str, str]
    left_out: tuple[str, ...]


def read_content(path: Path) -> Content:
    """Return what a weights file holds, without running any code from it.

    Raises:
        UsageError: if the file is damaged, has another format, or holds no weights that can be read in this way.
    """
    if is_safetensors(path):
        return Content(*read_safe(path), ())
    if path.suffix.lower() not in TORCH_SUFFIXES and not is_of_torch(path):
        raise UsageError(
            f"{path} has an unknown extension; expected one of .safetensors, {', '.join(TORCH_SUFFIXES)}; {TABLE}"
        )
    content, left_out = read_pickled(path)
    return Content(content, {}, left_out)


def _shape(tensor: Tensor) -> str:
    return str(list(tensor.shape))


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return a hash of named tensors, whatever order or file they came in.

    Example:
        >>> weights = {"a": torch.ones(2), "b": torch.zeros(1)}
        >>> weights_digest(weights) == weights_digest(dict(reversed(weights.items())))
        True
    """
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        state.update(tensor.flatten().view(torch.uint8).numpy().data)
    return state.hexdigest()
