"""Learning-rate schedules."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fairdistill.training.options import ScheduleName
from fairdistill.training.stages import Stage


class Schedule:
    """Sets an optimizer's learning rate.

    Args:
        name: ``plateau`` (divide the rate by 10 after ten evaluations without improvement: supplement, section 1),
            ``cosine`` (decay to zero over the stage) or ``constant``.
        optimizer: the optimizer whose rate is set.
        stage: the stage that the schedule covers; a warm-up before it keeps the initial rate.
    """

    def __init__(self, name: ScheduleName, optimizer: Optimizer, stage: Stage) -> None:
        self._optimizer = optimizer
        self._stage = stage
        self._lr = optimizer.param_groups[0]["lr"]
        self._plateau = ReduceLROnPlateau(optimizer, factor=0.1, patience=10) if name == "plateau" else None
        self._cosine = name == "cosine"

    def before_step(self, step: int) -> None:
        """Set the rate for a step, if the schedule depends on the step."""
        if self._cosine and step >= self._stage.start:
            done = (step - self._stage.start) / self._stage.steps
            for group in self._optimizer.param_groups:
                group["lr"] = self._lr * (1 + math.cos(math.pi * done)) / 2

    def after_evaluation(self, loss: float) -> None:
        """Record a validation loss of the main stage."""
        if self._plateau is not None:
            self._plateau.step(loss)

    @property
    def lr(self) -> float:
        """The current rate."""
        rate: float = self._optimizer.param_groups[0]["lr"]
        return rate

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint must keep."""
        return self._plateau.state_dict() if self._plateau is not None else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        if self._plateau is not None:
            self._plateau.load_state_dict(state)
