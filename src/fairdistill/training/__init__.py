"""Training: options in, a finished run folder out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fairdistill.training.options import (
    BudgetOptions,
    DataOptions,
    GroupLabelOptions,
    MachineOptions,
    MethodOptions,
    NetworkOptions,
    SamplingOptions,
    TeacherOptions,
    TrainOptions,
)
from fairdistill.training.protocol import HONEST, PAPER, PROTOCOLS, Protocol, ProtocolName

if TYPE_CHECKING:
    from fairdistill.training.console import percent
    from fairdistill.training.cost import Estimate, estimate, format_seconds, seconds_of
    from fairdistill.training.environment import describe_environment
    from fairdistill.training.identity import computed
    from fairdistill.training.loop import Watch
    from fairdistill.training.resolving import resolve
    from fairdistill.training.run import resume, train
    from fairdistill.training.setup import Setup, build_sampler, prepare
    from fairdistill.training.splits import Splits, load_data, parted
    from fairdistill.training.stages import plan_stages
    from fairdistill.training.state import load_checkpoint
    from fairdistill.training.stopping import Interrupted

__all__ = [
    "HONEST", "PAPER", "PROTOCOLS", "BudgetOptions", "DataOptions", "Estimate", "GroupLabelOptions", "Interrupted",
    "MachineOptions", "MethodOptions", "NetworkOptions", "Protocol", "ProtocolName", "SamplingOptions", "Setup",
    "Splits", "TeacherOptions", "TrainOptions", "Watch", "build_sampler", "computed", "describe_environment",
    "estimate", "format_seconds", "load_checkpoint", "load_data", "parted", "percent", "plan_stages", "prepare",
    "resolve", "resume", "seconds_of", "train",
]  # fmt: skip

# Imported at first use, so that the options, which `fairdistill train --help` shows, do not wait for PyTorch.
_HOME = {
    "Estimate": "cost",
    "Interrupted": "stopping",
    "Setup": "setup",
    "Splits": "splits",
    "Watch": "loop",
    "build_sampler": "setup",
    "computed": "identity",
    "describe_environment": "environment",
    "estimate": "cost",
    "format_seconds": "cost",
    "load_checkpoint": "state",
    "load_data": "splits",
    "parted": "splits",
    "percent": "console",
    "plan_stages": "stages",
    "prepare": "setup",
    "resolve": "resolving",
    "resume": "run",
    "seconds_of": "cost",
    "train": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
