"""Packages that only some commands need: an absent one is an error with the line that installs it."""

from __future__ import annotations

import importlib
from types import ModuleType

from fairdistill.errors import UsageError


def needed(package: str, *, extra: str, by: str = "this needs", name: str | None = None, or_: str = "") -> ModuleType:
    """Return a package.

    Args:
        package: as it is imported.
        extra: the extra of fairdistill that installs it.
        by: what needs it, with the verb.
        name: what people call it; default: the package.
        or_: what else could be done, after the line that installs it.

    Raises:
        UsageError: if it is not installed.
        Exception: any other error that its import raises, such as for a package that it needs itself.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        message = f"{by} {name or package}; install it with: pip install 'fairdistill[{extra}]'{or_}"
        raise UsageError(message) from error
