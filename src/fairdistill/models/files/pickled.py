"""Files of ``torch.save``, read without running any code from them, whatever objects they hold beside tensors."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.models.files.archive import check_stored
from fairdistill.models.files.checkpoint import holds_weights, not_opened

_MODULE = ("_parameters", "_buffers", "_modules")  # what every nn.Module keeps its parts in
_REFUSED = re.compile(r"GLOBAL (\S+)")


class _Unread:
    """Stands for an object of a class that is not known to be harmless: its code does not run, its state is kept."""

    state: object = None

    def __init__(self, *given: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        self.state = state


def _dictionary(*given: object) -> dict[object, object]:
    """Stands for ``defaultdict``: its entries follow in the file."""
    return {}


def read_pickled(path: Path) -> tuple[object, tuple[str, ...]]:
    """Return what ``torch.save`` wrote, as far as it consists of tensors and plain values, and which objects do not.

    A pickled network is returned as its weights by name, as ``state_dict`` would give them. Any other object, such as
    a path or a NumPy number, is left out, together with the list that it is in. The second value names their classes.

    Raises:
        UsageError: if the file is damaged, or holds no weights that can be read in this way.
    """
    check_stored(path)
    kinds = _kinds(path)
    # PyTorch's restricted unpickler creates no objects but its own and these. What a command was started with, which is
    # beside the weights in many checkpoints, consists of plain values.
    known: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        argparse.Namespace, (_dictionary, "collections.defaultdict"), *((_Unread, kind) for kind in kinds),
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
        raise UsageError(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or incomplete, or was not written by torch.save; copy "
            "or save it again"
        ) from error
    if not kinds:
        return content, ()
    plain = _plain(content)
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


def _plain(content: object) -> object:
    """Return content without objects that were not read; networks become their weights, everything else stays."""
    if isinstance(content, _Unread):
        return dict(_weights_of(content)) or content
    if isinstance(content, Mapping):
        read = {name: _plain(value) for name, value in content.items()}
        plain = {name: value for name, value in read.items() if not _is_unread(name, value)}
        same = len(plain) == len(content) and all(plain[name] is value for name, value in content.items())
        return content if same else plain
    return content


def _is_unread(*values: object) -> bool:
    return any(
        isinstance(each, _Unread)
        or (isinstance(each, list | tuple | set) and _is_unread(*each))
        or (isinstance(each, argparse.Namespace) and _is_unread(*vars(each).values()))
        for each in values
    )


def _weights_of(network: _Unread, above: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the weights in the state of a pickled network, by the names that its ``state_dict`` has."""
    state = network.state
    if not isinstance(state, Mapping) or not all(isinstance(state.get(part), Mapping) for part in _MODULE):
        return
    skipped = state.get("_non_persistent_buffers_set", ())
    for part in _MODULE:
        for name, value in state[part].items():
            if isinstance(value, _Unread):
                yield from _weights_of(value, f"{above}{name}.")
            elif isinstance(value, Tensor) and name not in skipped:
                yield f"{above}{name}", value.detach()
