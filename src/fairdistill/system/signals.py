"""The signals that ask a process to stop, and catching them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, ``kill``, and the end of the terminal or the connection."""


def heeded() -> tuple[signal.Signals, ...]:
    """Return the stopping signals that this process does not ignore.

    ``nohup`` starts a process that ignores SIGHUP, and ``command &`` in a script one that ignores Ctrl-C; they should
    keep ignoring them.
    """
    return tuple(number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN)


@contextmanager
def signals_caught() -> Iterator[list[int]]:
    """Collect the stopping signals instead of dying from the first; a second of the same kind has its usual effect.

    Signals that were ignored stay ignored. Only the main thread receives signals, so in another one nothing changes.
    """
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.getsignal(number) for number in heeded()}

    def catch(number: int, _frame: object) -> None:
        caught.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
