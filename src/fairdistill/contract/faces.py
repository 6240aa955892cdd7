"""Lazy imports for packages that are slow to import: a name is imported when it is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any


def lazy_face(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a module ``__getattr__`` for a package's ``__init__`` (PEP 562).

    This way ``fairdistill train --help`` can read the options of a training without waiting for torch. The names are
    imported for type checkers under ``TYPE_CHECKING``, and listed in ``__all__``. A module may have the same name
    as a function in it, for example ``fixing/fix.py``: the package's attribute stays the function, whichever is
    imported first.

    Args:
        package: the package's ``__name__``.
        modules: the public names of each module in it, for example ``{"train": ("resume", "train")}``.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    class Face(ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            if not (name in homes and isinstance(value, ModuleType)):  # what importing the submodule sets
                super().__setattr__(name, value)

    sys.modules[package].__class__ = Face

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
