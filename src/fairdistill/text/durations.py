"""Durations as people write them (90s, 30m, 2h) and read them (3 h 20 min)."""

from __future__ import annotations

import math
import re

from fairdistill.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def parse_duration(text: str, option: str) -> float:
    """Return the seconds of a duration like ``90s``, ``30m`` or ``1.5h``.

    Args:
        text: a number and its unit.
        option: the option to name in the error.

    Raises:
        UsageError: if the text is not a duration.

    Example:
        >>> parse_duration("30m", "budget")
        1800.0
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h)", text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else math.nan
    if not seconds > 0:
        raise UsageError(f"expected --{option} to be a time, for example 90s, 30m or 2h, but got {text!r}")
    return seconds


def format_seconds(seconds: float) -> str:
    """Return a readable duration, for example ``42 s``, ``7 min`` or ``3 h 20 min``.

    Example:
        >>> format_seconds(12_000)
        '3 h 20 min'
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
