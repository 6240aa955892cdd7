"""Learning-rate schedules."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fairdistill.training.optimization.stages import Stage
from fairdistill.training.settings.recipe import ScheduleName

_LOWEST = 1 / 25  # of the highest rate, at the first step of onecycle and of a warm-up


class Schedule:
    """Sets an optimizer's learning rate.

    Args:
        name: ``plateau`` (divide the rate by 10 after ten evaluations without improvement: supplement, section 1),
            ``cosine`` and ``linear`` (decay to zero over the stage), ``onecycle`` (rise from a 25th over the first 30%
            of the stage, then decay to zero, both along a cosine: PyTorch's ``OneCycleLR``, without its momentum) or
            ``constant``.
        optimizer: the optimizer whose rate is set.
        stage: the stage that the schedule covers; a warm-up stage before it keeps the initial rate.
        warmup: the fraction of the stage over which the rate first rises linearly; not with ``plateau`` and
            ``onecycle``.
    """

    def __init__(self, name: ScheduleName, optimizer: Optimizer, stage: Stage, *, warmup: float = 0.0) -> None:
        self._optimizer = optimizer
        self._stage = stage
        self._lr = optimizer.param_groups[0]["lr"]
        self._plateau = ReduceLROnPlateau(optimizer, factor=0.1, patience=10) if name == "plateau" else None
        self._share = None if name == "plateau" else partial(_SHARES[name], rise=0.3 if name == "onecycle" else warmup)

    def before_step(self, step: int) -> None:
        """Set the rate for a step, if the schedule depends on the step."""
        if self._share is not None and step >= self._stage.start:
            share = self._share((step - self._stage.start) / self._stage.steps)
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


def _onecycle(done: float, rise: float) -> float:
    """Return the share of the highest rate once a fraction of the stage is done: up along a cosine, then down."""
    if done < rise:
        return _LOWEST + (1 - _LOWEST) * (1 - math.cos(math.pi * done / rise)) / 2
    return _fall_along_a_cosine(done, rise)


def _cosine(done: float, rise: float) -> float:
    return _rising(done, rise) if done < rise else _fall_along_a_cosine(done, rise)


def _linear(done: float, rise: float) -> float:
    return _rising(done, rise) if done < rise else 1 - (done - rise) / (1 - rise)


def _constant(done: float, rise: float) -> float:
    return _rising(done, rise) if done < rise else 1.0


def _rising(done: float, rise: float) -> float:
    return _LOWEST + (1 - _LOWEST) * done / rise


def _fall_along_a_cosine(done: float, rise: float) -> float:
    return (1 + math.cos(math.pi * (done - rise) / (1 - rise))) / 2


_SHARES = {"onecycle": _onecycle, "cosine": _cosine, "linear": _linear, "constant": _constant}
