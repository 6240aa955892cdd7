"""Bars of text, for terminals that can show them."""

from __future__ import annotations

import math
import sys

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int = 20) -> str:
    """Return a bar whose length is a share of the width, to an eighth of a character.

    Args:
        share: a fraction in [0, 1]; the bar of NaN is empty.
        width: characters of the bar of 1.

    Example:
        >>> bar(0.5, width=4), bar(0.28125, width=4)
        ('██', '█▏')
    """
    if math.isnan(share):
        return ""
    whole, part = divmod(round(8 * width * min(max(share, 0.0), 1.0)), 8)
    return "█" * whole + (_EIGHTHS[part] if part else "")


def can_show_bars() -> bool:
    """Return whether standard output is a terminal with the characters of bars."""
    if not sys.stdout.isatty():
        return False
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
