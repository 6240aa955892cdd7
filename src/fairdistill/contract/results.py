"""The base of every command's result: typed attributes, the JSON that is written, and the text."""

from __future__ import annotations

import dataclasses
import functools
import html
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fairdistill.escaping import shortened, shown


def key(name: str | None = None, *, optional: bool = False, written: bool = True) -> Any:
    """Return a dataclass field whose key in the JSON differs from its name, or that the JSON may leave out.

    Args:
        name: the key, for example ``class``, which cannot be an attribute; default: the field's own name.
        optional: whether the key is left out where the value is None; the field then defaults to None.
        written: whether the JSON holds the field at all; it does not hold the folder that it lies in.
    """
    metadata = {"key": name, "optional": optional, "written": written}
    return dataclasses.field(default=None, metadata=metadata) if optional else dataclasses.field(metadata=metadata)


class Result:
    """Base of the frozen results.

    The fields of a result are its JSON, in the same order. Its text comes from ``render`` in the neighbouring module
    ``text``, so that values are independent of how they are shown.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Share(Result):
        ...     name: str = key("class")
        ...     value: float
        >>> Share(name="cat", value=0.5).to_dict()
        {'class': 'cat', 'value': 0.5}
    """

    def to_dict(self) -> dict[str, Any]:
        """Return what is written as JSON: plain dicts, lists, strings and numbers; undefined values are NaN."""
        return {name: _plain(value) for name, value in self._written()}

    def to_write(self) -> dict[str, Any]:
        """Return the same for a file that is written piece by piece: fields that make their items stay as they are."""
        return {name: value if _is_made(value) else _plain(value) for name, value in self._written()}

    def _written(self) -> Iterator[tuple[str, Any]]:
        """Yield the keys of the JSON and the values of their fields."""
        kind: type = type(self)
        for name, written_as, optional in _written_fields(kind):
            value = getattr(self, name)
            if value is not None or not optional:
                yield written_as, value

    def text(self) -> str:
        """Return the result as text for a terminal, in percent; control characters are escaped, long names cut."""
        return shortened(shown(self._written_by("text", "render")))

    def _written_by(self, module: str, function: str) -> str:
        """Return what a function of a neighbouring module writes about the result."""
        room = type(self).__module__.rpartition(".")[0]
        text: str = getattr(importlib.import_module(f"{room}.{module}"), function)(self)
        return text

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text())}</pre>"


@functools.cache
def _written_fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """Return of each field in the JSON its name, its key there, and whether it is left out where it is None."""
    return tuple(
        (field.name, field.metadata.get("key") or field.name, bool(field.metadata.get("optional")))
        for field in dataclasses.fields(kind)
        if field.metadata.get("written", True)
    )


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _is_made(value: Any) -> bool:
    """Return whether a value is a sequence that makes its items when they are asked for."""
    return isinstance(value, Sequence) and not isinstance(value, list | tuple | str | bytes)


_NUMBERS = {int, float}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | float | int):
        return value
    if isinstance(value, Result):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return list(value) if set(map(type, value)) <= _NUMBERS else [_plain(item) for item in value]
    if _is_made(value):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value
