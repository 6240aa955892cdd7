"""How much of a stated time is left."""

from __future__ import annotations

import time


class Clock:
    """How much of the budget is left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._longest = 0.0

    def has_room(self) -> bool:
        """Return whether another run fits, by the time that the longest took so far."""
        return time.monotonic() + self._longest <= self._end

    def took(self, seconds: float) -> None:
        """Remember how long a run took."""
        self._longest = max(self._longest, seconds)
