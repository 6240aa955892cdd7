"""Files of ``torch.save``, read without running any code from them, whatever objects they hold beside tensors."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.models.files.archive import check_archive
from fairdistill.models.files.checkpoint import DEEPEST, holds_weights, not_opened
from fairdistill.models.files.holders import holders

_MODULE = ("_parameters", "_buffers", "_modules")  # what every nn.Module keeps its parts in
_COMPILED = "torch._dynamo.eval_frame.OptimizedModule"  # of torch.compile
_REFUSED = re.compile(r"GLOBAL (\S+)")


class _Unread:
    """Stands for an object of a class that is not known to be harmless: its code does not run, its parts are kept."""

    state: object = None

    def __init__(self, *given: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Compiled(_Unread):
    """Stands for a network of ``torch.compile``, which is given the network itself."""

    def __init__(self, network: object = None, *given: object) -> None:
        self.state = network.state if isinstance(network, _Unread) else None


class _Entries:
    """Stands for a class of dictionaries, such as ``defaultdict``: their entries follow in the file."""

    def __new__(cls, *given: object) -> OrderedDict[object, object]:  # type: ignore[misc]
        return OrderedDict()  # of dictionaries with attributes, PyTorch's unpickler knows these


class _Items:
    """Stands for a class of lists, such as ``deque``: their items follow in the file."""

    def __new__(cls, *given: object) -> list[object]:  # type: ignore[misc]
        return []


def read_pickled(path: Path) -> tuple[object, tuple[str, ...]]:
    """Return what ``torch.save`` wrote, as far as it consists of tensors and plain values, and which objects do not.

    A pickled network is returned as its weights by name, as ``state_dict`` would give them. Dictionaries and lists of
    other classes become plain ones. Any other object, such as a path or a NumPy number, is left out of the dictionary
    that it is in. The second value names the classes of all of these.

    Raises:
        UsageError: if the file is damaged, or holds no weights that can be read in this way.
    """
    check_archive(path)
    kinds = _kinds(path)
    # PyTorch's restricted unpickler creates no objects but its own and these. What a command was started with, which is
    # beside the weights in many checkpoints, consists of plain values.
    standing = {"collections.defaultdict": _Entries, **dict.fromkeys(kinds, _Unread)}
    if kinds:
        held = holders(path)
        standing |= {kind: _Entries if held[kind] is dict else _Items for kind in kinds if kind in held}
        standing |= {_COMPILED: _Compiled}
    known: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        argparse.Namespace, *((stands, kind) for kind, stands in standing.items()),
    ]  # fmt: skip
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(known):
            warnings.simplefilter("ignore")  # it warns about a TorchScript archive and then refuses it
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = _REFUSED.search(str(error))
        raise not_opened(path, [refused[1]] if refused else kinds) from error
    except Exception as error:
        if "TorchScript" in str(error):
            raise not_opened(path) from error
        if kinds and isinstance(error, TypeError | ValueError | AttributeError):  # a stand-in does not fit its place
            raise not_opened(path, kinds) from error
        raise UsageError(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or incomplete, or was not written by torch.save; copy "
            "or save it again"
        ) from error
    if not kinds:
        return content, ()
    try:
        plain = _plain(content)
    except RecursionError as error:  # a network that is inside itself
        raise not_opened(path, kinds) from error
    if not holds_weights(plain):
        raise not_opened(path, kinds)
    return plain, tuple(kinds)


def _kinds(path: Path) -> list[str]:
    """Return the names of the classes and functions in a file that PyTorch does not know to be harmless."""
    try:
        found = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # it is from before PyTorch 1.6, or damaged; loading it says what is wrong
        return []
    return sorted(set(found) - {"argparse.Namespace", "collections.defaultdict"})


def _plain(content: object, depth: int = 0) -> object:
    """Return content without objects that were not read; networks become their weights, everything else stays."""
    if isinstance(content, _Unread):
        return dict(_weights_of(content)) or content
    if isinstance(content, Mapping) and depth <= DEEPEST:
        read = {name: _plain(value, depth + 1) for name, value in content.items() if not isinstance(name, _Unread)}
        return {name: value for name, value in read.items() if not isinstance(value, _Unread)}
    return content


def _weights_of(network: _Unread, above: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the weights in the state of a pickled network, by the names that its ``state_dict`` has."""
    state = network.state
    if not isinstance(state, Mapping) or not all(isinstance(state.get(part), Mapping) for part in _MODULE):
        return
    skipped = state.get("_non_persistent_buffers_set")
    skipped = skipped if isinstance(skipped, Set) else ()
    for part in _MODULE:
        for name, value in state[part].items():
            if isinstance(value, _Unread):
                yield from _weights_of(value, f"{above}{name}.")
            elif isinstance(value, Tensor) and name not in skipped:
                yield f"{above}{name}", value.detach()
