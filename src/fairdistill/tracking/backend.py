"""What a library for logging is to this package: a function for numbers, and one for the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "fairdistill"
"""The project or experiment that runs are in, unless the library's own environment variable names another."""


@dataclass(frozen=True)
class Tracked:
    """A run that is logged.

    Attributes:
        path: its folder.
        id: identifies it, also after it was resumed.
        options: its options by name.
    """

    path: Path
    id: str
    options: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, str]:
        """The options that have a value, as text; those in a mapping as ``name.key``."""
        flat: dict[str, str] = {}
        for name, value in self.options.items():
            if isinstance(value, Mapping):
                flat |= {f"{name}.{key}": str(each) for key, each in value.items() if each is not None}
            elif value is not None:
                flat[name] = str(value)
        return flat


@dataclass(frozen=True)
class Backend:
    """A library that was opened for one run.

    Attributes:
        write: called with numbers by name, and the step.
        close: called at the end, with whether the run got there without an error.
        where: where the numbers are, for the user.
    """

    write: Callable[[Mapping[str, float], int], None]
    close: Callable[[bool], None]
    where: str
