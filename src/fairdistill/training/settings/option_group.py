"""The base of the groups of training options. Importing this does not load PyTorch."""

from __future__ import annotations

import math

from fairdistill.contract import check_types
from fairdistill.errors import UsageError

_LARGEST = 1e6  # steps of float32 overflow with numbers that are much larger


class OptionGroup:
    """Base of the groups: checks the type of every field first, whichever group declares it."""

    def __post_init__(self) -> None:
        check_types(self)

    def check_finite(self, name: str, *, positive: bool = False) -> None:
        """Raise a UsageError unless an option is a finite number of at least 0, or positive, or None."""
        value = getattr(self, name)
        if value is None:
            return
        if not math.isfinite(value) or value < 0 or (positive and value == 0):
            raise UsageError(f"expected {name} to be {'positive' if positive else 'at least 0'}, but got {value}")
        if value > _LARGEST:
            raise UsageError(f"expected {name} to be at most {_LARGEST:,.0f}, but got {value}")
