"""Learning-rate schedules."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fairdistill.training.options import ScheduleName
from fairdistill.training.stages import Stage

_LOWEST = 1 / 25  # of the highest rate, at the first step of onecycle


class Schedule:
    """Sets an optimizer's learning rate.

    Args:
        name: ``plateau`` (divide the rate by 10 after ten evaluations without improvement: supplement, section 1),
            ``cosine`` (decay to zero over the stage), ``onecycle`` (rise from a 25th over the first 30% of the stage,
            then decay to zero, both along a cosine: PyTorch's ``OneCycleLR``, without its momentum) or ``constant``.
        optimizer: the optimizer whose rate is set.
        stage: the stage that the schedule covers; a warm-up before it keeps the initial rate.
    """

    def __init__(self, name: ScheduleName, optimizer: Optimizer, stage: Stage) -> None:
        self._optimizer = optimizer
        self._stage = stage
        self._lr = optimizer.param_groups[0]["lr"]
        self._plateau = ReduceLROnPlateau(optimizer, factor=0.1, patience=10) if name == "plateau" else None
        self._rise = {"cosine": 0.0, "onecycle": 0.3}.get(name)

    def before_step(self, step: int) -> None:
        """Set the rate for a step, if the schedule depends on the step."""
        if self._rise is not None and step >= self._stage.start:
            share = _annealed((step - self._stage.start) / self._stage.steps, self._rise)
            for group in self._optimizer.param_groups:
                group["lr"] = self._lr * share

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


def _annealed(done: float, rise: float) -> float:
    """Return the share of the highest rate once a fraction of the stage is done: up along a cosine, then down."""
    if done < rise:
        return _LOWEST + (1 - _LOWEST) * (1 - math.cos(math.pi * done / rise)) / 2
    return (1 + math.cos(math.pi * (done - rise) / (1 - rise))) / 2
