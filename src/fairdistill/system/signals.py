"""Signals that ask a command to stop: Ctrl-C, SIGTERM and SIGHUP have the same effect."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

STOPPING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals; a process that was started with one ignored, as by ``nohup``, keeps ignoring it."""

_LATER = 0.05  # seconds


class StopSignal(KeyboardInterrupt):
    """A signal asked for the end of the command.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal_number = number


def signal_of(stop: BaseException) -> int:
    """Return the signal that an exception stands for.

    Example:
        >>> signal_of(KeyboardInterrupt()) == signal.SIGINT
        True
    """
    return int(getattr(stop, "signal_number", None) or signal.SIGINT)


@contextmanager
def raised_as_exceptions() -> Iterator[None]:
    """Raise :class:`StopSignal` where a stopping signal would end the process without cleaning up.

    While PyTorch loads, the process exits at once: its C++ part would turn an exception into an abort. Where Python
    drops exceptions, in a finalizer or a callback, the signal is sent again a moment later.
    """
    if current_thread() is not main_thread():
        yield  # only the main thread receives signals
        return
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in STOPPING if signal.getsignal(number) in usual}
    unraisable = sys.unraisablehook

    def stop(number: int, _frame: object) -> None:
        if getattr(getattr(sys.modules.get("torch"), "__spec__", None), "_initializing", False):
            os.write(2, b"fairdistill: stopped\n")
            os._exit(128 + number)  # nothing has been written yet
        raise StopSignal(number)

    def dropped(what: UnraisableHookArgs) -> None:
        if isinstance(what.exc_value, StopSignal):
            again = Timer(_LATER, os.kill, (os.getpid(), what.exc_value.signal_number))
            again.daemon = True
            again.start()
        else:
            unraisable(what)

    sys.unraisablehook = dropped
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if sys.unraisablehook is dropped:
            sys.unraisablehook = unraisable
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


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
    if current_thread() is not main_thread():
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
