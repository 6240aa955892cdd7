"""Stopping a run on purpose: the state is saved first, and the way on is said."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import TrainingError
from fairdistill.runs import RunFolder


class Interrupted(TrainingError):  # noqa: N818  # what was asked for is no error
    """The run was stopped by a signal; its last checkpoint is whole.

    Args:
        what: what happened, for the message.
        run: the run, for the way on.
        signal_number: the signal.
    """

    def __init__(self, what: str, run: RunFolder, *, signal_number: int) -> None:
        super().__init__(f"{what}; continue with: fairdistill train --resume {run.path}")
        self.signal_number = signal_number


@contextmanager
def signals_caught() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM instead of dying of the first; a second one acts as it always did."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught  # signals reach the main thread alone
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

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


@contextmanager
def interrupt_named(run: RunFolder) -> Iterator[None]:
    """Say how to go on when Ctrl-C comes outside the training steps."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("stopped", run, signal_number=signal.SIGINT) from None
