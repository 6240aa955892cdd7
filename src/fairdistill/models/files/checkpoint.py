"""The weights in what ``torch.save`` wrote: which of its dictionaries are weights, and which one is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.models.files.kinds import TABLE
from fairdistill.text.lists import listed

_USUAL = ("state_dict", "model_state_dict", "model", "module", "net")
_SAVE = "on the machine where it was made, save model.state_dict() only"
_SHOWN = 5

DEEPEST = 3
"""How many dictionaries weights may be inside of."""


@dataclass(frozen=True)
class Weights:
    """Named tensors in a file.

    Attributes:
        tensors: by name.
        key: under which key they are, with dots where one dictionary is in another; None if the file holds only them.
        others: keys of the other weights in the file, for example averaged ones.
    """

    tensors: dict[str, Tensor]
    key: str | None = None
    others: tuple[str, ...] = ()


def find_weights(content: object, path: Path, key: str | None = None) -> Weights:
    """Return the weights in a file's content.

    Args:
        content: what was read.
        path: the file, for messages.
        key: the key to read; None: the usual ones in turn (``state_dict``, ``model``, ...), else the only one.

    Raises:
        UsageError: if there are none, there is nothing under the key, or several keys hold weights and none is usual.
    """
    if not isinstance(content, Mapping):
        raise UsageError(f"{path} holds a {type(content).__name__} instead of named weights; save model.state_dict()")
    if not content:
        raise UsageError(f"{path} holds no weights")
    found = dict(_candidates(content))
    if key is not None:
        if key not in found:
            under = _under_prefix(content, path, key)
            if under:
                return Weights(under, key)
            holds = f"it has weights under {', '.join(found)}" if found else "its weights are not under a key; drop it"
            raise UsageError(f"{path} has no weights under the key {key!r} of --weights-key; {holds}")
        return Weights(found[key], key, tuple(other for other in found if other != key))
    if _is_weights(content):
        return Weights(dict(content))
    usual = _usual(found)
    if usual is None and len(found) > 1:
        raise UsageError(f"{path} has weights under several keys: {', '.join(found)}; choose one with --weights-key")
    if not found:
        others = listed([str(name) for name, value in content.items() if not _is_tensor(name, value)], _SHOWN)
        raise UsageError(f"{path} holds more than tensors ({others}); {_SAVE}; {TABLE}")
    chosen = usual or next(iter(found))
    return Weights(found[chosen], chosen, tuple(other for other in found if other != chosen))


def _under_prefix(content: Mapping[Any, Any], path: Path, prefix: str) -> dict[str, Tensor]:
    """Return the weights whose names begin with a prefix, where all parts of a model are in one dictionary."""
    try:
        tensors = find_weights(content, path).tensors
    except UsageError:
        return {}
    start = prefix.rstrip(".") + "."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def is_usual(key: str) -> bool:
    """Return whether trainers write the trained weights themselves under this key.

    Example:
        >>> is_usual("model.state_dict"), is_usual("state_dict_ema")
        (True, False)
    """
    return all(part in _USUAL for part in key.split("."))


def holds_weights(content: object) -> bool:
    """Return whether :func:`find_weights` would find some."""
    return isinstance(content, Mapping) and (_is_weights(content) or any(_candidates(content)))


def not_opened(path: Path, kinds: Sequence[str] = ()) -> UsageError:
    """Return the error for a file of objects that only code could read; some of their classes may be known."""
    such = f" ({listed(kinds, _SHOWN)})" if kinds else ""
    return UsageError(
        f"{path} holds more than tensors{such} and was not opened further, since that could run code; {_SAVE}; {TABLE}"
    )


def _candidates(content: Mapping[Any, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield every dictionary of tensors inside a dictionary, with its key."""
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Mapping):
            continue
        if _is_weights(value):
            yield above + name, dict(value)
        elif depth < DEEPEST:
            yield from _candidates(value, f"{above}{name}.", depth + 1)


def _usual(found: Mapping[str, Any]) -> str | None:
    """Return the key that trainers use for the trained weights themselves, None if there is none."""
    usual = [key for key in found if is_usual(key)]
    return min(usual, key=lambda key: [_USUAL.index(part) for part in key.split(".")], default=None)


def _is_weights(value: Mapping[Any, Any]) -> bool:
    return bool(value) and all(_is_tensor(name, item) for name, item in value.items())


def _is_tensor(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)
