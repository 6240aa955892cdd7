"""What a fuzzer is."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        form: what the content is, for example the ending of a file.
        content: the bytes.
    """

    form: str
    content: bytes


class Kind(ABC):
    """A fuzzer of one kind of input.

    Attributes:
        inputs: how many make its part of a whole run.
    """

    inputs: int

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Make the valid files, once; ``folder`` is empty and stays."""

    @abstractmethod
    def make(self, draw: random.Random) -> Input:
        """Return a changed input."""

    @abstractmethod
    def read(self, given: Input) -> None:
        """Read an input as a command would."""
