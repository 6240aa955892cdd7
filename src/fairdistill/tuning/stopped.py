"""A command of several runs that was stopped on purpose: its progress is saved."""

from __future__ import annotations

from fairdistill.errors import TrainingError
from fairdistill.training import Interrupted


class Stopped(TrainingError):  # noqa: N818  # what the user asked for is not an error
    """The search, or the fix, was stopped by a signal; the progress of its run is saved.

    Args:
        where: when or where, for the message: ``during trial 3``.
        stop: how the run was stopped.
    """

    def __init__(self, where: str, stop: Interrupted) -> None:
        super().__init__(f"stopped {where}; progress is saved. Run the same command to continue")
        self.signal_number = stop.signal_number
