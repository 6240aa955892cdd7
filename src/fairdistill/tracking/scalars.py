"""From a row of the log to named numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_LEFT_OUT = ("step", "seconds")


def scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row, by name; those of its evaluation under the name of the split.

    Texts, truth values and numbers that are not finite are left out.

    Example:
        >>> scalars({"step": 8, "lr": 0.1, "loss": {"ce": 2.0}, "evaluation": {"split": "test", "deo_a": 0.25}})
        {'lr': 0.1, 'loss/ce': 2.0, 'test/deo_a': 0.25}
    """
    found: dict[str, float] = {}
    for name, value in row.items():
        if name in _LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            inner = {key: each for key, each in value.items() if key != "split"}
            prefix = value.get("split", name)
            found |= {f"{prefix}/{key}": number for key, number in scalars(inner).items()}
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[name] = value
    return found
