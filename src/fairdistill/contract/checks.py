"""Checks shared by the options classes; each module owns its own frozen class."""

from __future__ import annotations

import dataclasses
import os
import re
import reprlib
import types
import typing
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from fairdistill.errors import UsageError

_PLAIN: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (float, int), str: (str,)}
_NAMES_CODE = frozenset({"method", "methods", "model", "teacher_model"})  # options that take MODULE:NAME
_PATHS = frozenset({  # options
    "data", "data_root", "test_data", "teacher", "images", "correction", "cache_dir", "image_cache", "out", "card",
    "predictions_out",
})  # fmt: skip
Location: TypeAlias = str | os.PathLike[str]
"""Where something is: a path as a text, a ``Path``, or a run folder."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # a letter alone is a disk
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def check_types(options: Any) -> None:
    """Check that every field of an options object holds a value of its annotated type.

    Paths become texts, and NumPy's numbers and texts Python's, as they are written into run folders.

    Args:
        options: a dataclass instance with fields of type bool, int, float, str, a Literal of texts, a Mapping, or any
            of these or None.

    Raises:
        UsageError: naming the first field whose value does not fit, what was expected, and the value; or for an
            address on the network in place of a path.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass
        ... class Options:
        ...     epochs: int | None = None
        >>> check_types(Options(epochs="few"))
        Traceback (most recent call last):
        fairdistill.errors.UsageError: expected epochs to be a whole number, but got 'few'
    """
    for name, kind, plain in _checked(cast("Hashable", type(options))):
        value = given = getattr(options, name)
        if type(value) not in plain and (value := _without_numpy(given)) is not given:
            object.__setattr__(options, name, value)
        if name in _PATHS and type(value) is str:
            given_path(name, value)
        if type(value) in plain:
            continue
        if kind is str and isinstance(value, os.PathLike):
            object.__setattr__(options, name, str(given_path(name, value)))
            continue
        expected = _mismatch(value, kind)
        if expected and name in _NAMES_CODE:
            check_named(name, value)
        if expected:
            way_out = ""
            if kind is str and isinstance(value, list | tuple | range):
                way_out = f"; write several as {','.join(map(str, value))!r}"
            raise UsageError(f"expected {name} to be {expected}, but got {value!r}{way_out}")


def _without_numpy(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {name: _without_numpy(each) for name, each in value.items()}
        return found if any(found[name] is not each for name, each in value.items()) else value
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 else value


@cache
def _checked(options: Any) -> tuple[tuple[str, Any, tuple[type, ...]], ...]:
    """Return name and type of each field to check, and types of values that always fit.

    These are found once, however many jobs there are. Options that take several types check them themselves.
    """
    hints = typing.get_type_hints(options)
    kinds = [(field.name, hints[field.name]) for field in dataclasses.fields(options)]
    return tuple(
        (name, required_type(kind), (*_PLAIN.get(required_type(kind), ()), *([type(None)] if _is_union(kind) else [])))
        for name, kind in kinds
        if not _is_union(kind) or len(_required(kind)) == 1
    )


def required_type(kind: Any) -> Any:
    """Return T of ``T | None``, the first type of a longer union, else the type itself."""
    return _required(kind)[0] if _is_union(kind) else kind


def _is_union(kind: Any) -> bool:
    return isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union  # the latter of a Literal


def _required(kind: Any) -> list[Any]:
    return [part for part in typing.get_args(kind) if part is not type(None)]


def _mismatch(value: Any, kind: Any) -> str | None:
    """Return a description of the expected value; None if the value fits."""
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        return None if value in choices else f"one of {', '.join(choices)}"
    if kind in _KINDS:
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        return None if fits and (kind is bool or not isinstance(value, bool)) else _KINDS[kind]
    return None if isinstance(value, Mapping) and all(isinstance(name, str) for name in value) else "named values"


def check_at_least_one(options: Any, *names: str) -> None:
    """Raise a UsageError unless each of these fields is at least 1, or None."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError(f"expected {name} to be at least 1, but got {value}")


def given_path(name: str, value: Location) -> str | Path:
    """Return a path, as a text or a ``Path``, as it was given; of anything else that stands for one, its ``Path``.

    Raises:
        UsageError: if the value does not stand for a path, or is an address on the network.

    Example:
        >>> given_path("source", "runs/mfd")
        'runs/mfd'
        >>> given_path("source", 3)
        Traceback (most recent call last):
        fairdistill.errors.UsageError: expected source to be a path, but got 3
    """
    if hasattr(value, "to_csv"):
        way = 'write it to a table first: .to_csv("table.csv", index=False)'
        raise UsageError(f"expected {name} to be a path, but got a {type(value).__name__}; {way}")
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"expected {name} to be a path, but got {reprlib.repr(value)}")
    path = value if isinstance(value, str | Path) else Path(value)
    if not str(path).strip():
        raise UsageError(f"expected {name} to be a path, but got an empty text")
    if is_address(str(path)):
        raise UsageError(f"{path} is an address; give a path on this machine")
    return path


def is_address(text: str) -> bool:
    """Return whether a text is an address, such as one on the network, instead of a path.

    Example:
        >>> is_address("s3://bucket/faces.csv"), is_address("C:/faces.csv")
        (True, False)
    """
    return _ADDRESS.match(text) is not None


def listed_paths(name: str, value: Location | Sequence[Location]) -> list[str | Path]:
    """Return several paths, or a single one, as a list.

    Args:
        name: what they are, for messages.
        value: as the caller gave them.

    Raises:
        UsageError: for anything else, or for none.

    Example:
        >>> listed_paths("run folders", "runs/mfd")
        ['runs/mfd']
    """
    if isinstance(value, str | os.PathLike):
        value = [value]
    if not isinstance(value, Iterable) or hasattr(value, "to_csv"):
        raise UsageError(f"expected sources to be {name}, but got {reprlib.repr(value)}")
    found = [given_path(name, each) for each in value]
    if not found:
        raise UsageError(f"expected sources to be {name}, but got none")
    return found


def check_named(name: str, value: object) -> None:
    """Check that a network or method is given by its name; an object or a class is answered with how to name it.

    Raises:
        UsageError: if it is not a text.

    Example:
        >>> from fractions import Fraction
        >>> check_named("model", Fraction)
        Traceback (most recent call last):
        fairdistill.errors.UsageError: expected model to be a text, but got a class; name it: model='fractions:Fraction'
    """
    if isinstance(value, str):
        return
    if type(value).__module__ == "builtins" and not callable(value):
        raise UsageError(f"expected {name} to be a text, but got {value!r}")
    module, own = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    what = (
        "a class" if isinstance(value, type) else "a function" if own else f"an object of type {type(value).__name__}"
    )
    if module not in (None, "__main__") and own.isidentifier():
        way = f"name it: {name}='{module}:{own}'"
    else:
        place = f"my_code:{own.rpartition('.')[2] or 'NAME'}"
        way = f"put it into a module, such as my_code.py, and name it: {name}={place!r}"
    raise UsageError(f"expected {name} to be a text, but got {what}; {way}")


def check_new_file(path: str | Path, option: str) -> None:
    """Check, before anything is computed, that a file can be written.

    Args:
        path: the file.
        option: what the user calls it.

    Raises:
        UsageError: if it is a folder, or is in one that does not exist or must not be written in.
    """
    folder = Path(path).absolute().parent
    if Path(path).is_dir() or not folder.is_dir():
        raise UsageError(f"cannot write {path}; choose a file in an existing folder with {option}")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: you may not write in {folder}; choose another file with {option}")


def check_seed(name: str, value: int) -> None:
    """Raise a UsageError unless a seed fits NumPy's legacy generator."""
    if not 0 <= value < 2**32:
        raise UsageError(f"expected {name} to lie in [0, 2**32), but got {value}")


def check_share(name: str, value: float) -> None:
    """Raise a UsageError unless a fraction lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise UsageError(f"expected {name} to lie in [0, 1], but got {value}")
