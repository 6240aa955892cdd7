"""A limit on the memory that several threads take at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Lets threads pass as long as what they take together stays within a total.

    A thread that needs more than the total alone passes when no other one is inside. A thread must not pass the same
    gate twice at a time.

    Args:
        total: bytes.

    Example:
        >>> gate = Gate(100)
        >>> with gate.taking(80):
        ...     pass  # another thread that takes 80 waits until this is over
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, size: int) -> Iterator[None]:
        """Wait until this many bytes are free, and keep them for the body of the ``with``."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + size <= self._total)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()
