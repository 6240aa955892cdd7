"""A search that is stopped on purpose: the state is saved, and the way on is said."""

from __future__ import annotations

from fairdistill.errors import TrainingError
from fairdistill.training import Interrupted


class Stopped(TrainingError):  # noqa: N818  # what was asked for is no error
    """The search, or the fix, was stopped by a signal; the run in hand is saved.

    Args:
        where: what it was doing, for the message.
        stop: how the run in hand was stopped.
    """

    def __init__(self, where: str, stop: Interrupted) -> None:
        super().__init__(f"stopped {where}, whose state is saved; the same command goes on")
        self.signal_number = stop.signal_number
