"""Keeping within a time budget, on a machine that may become busier or freer."""

from __future__ import annotations

import time


def changed(before: float, now: float, *, factor: float) -> bool:
    """Return whether work takes more than ``factor`` times longer or shorter: the machine is busier or freer.

    Example:
        >>> [changed(0.1, now, factor=1.5) for now in (0.2, 0.05, 0.12)]
        [True, True, False]
    """
    return max(before, now) > factor * min(before, now)


class Clock:
    """Tells whether there is time for another run within a budget.

    Args:
        seconds: the budget, from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._start = time.monotonic()
        self._end = self._start + seconds
        self._longest = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the end; negative after it."""
        return self._end - time.monotonic()

    def has_room(self) -> bool:
        """Return whether there is time for another run, assuming it takes as long as the longest so far."""
        return time.monotonic() + self._longest <= self._end

    def took(self, seconds: float) -> None:
        """Record how long a run took."""
        self._longest = max(self._longest, seconds)
