"""Training: options in, a finished run folder out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.training.learning_options import LearningOptions
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
from fairdistill.training.recipe import RecipeName

if TYPE_CHECKING:
    from fairdistill.training.averaging import ema_decay
    from fairdistill.training.cost import Estimate, estimate, seconds_of
    from fairdistill.training.environment import Environment, describe_environment
    from fairdistill.training.evaluation import evaluate_teacher
    from fairdistill.training.identity import code_of, computed, computed_data
    from fairdistill.training.loop import Watch
    from fairdistill.training.resolving import resolve
    from fairdistill.training.run import resume, train
    from fairdistill.training.setup import Setup, build_sampler, prepare
    from fairdistill.training.splits import Splits, load_data, parted
    from fairdistill.training.stages import plan_stages
    from fairdistill.training.state import load_checkpoint
    from fairdistill.training.stopping import Interrupted, Stopped

__all__ = [
    "HONEST", "PAPER", "PROTOCOLS", "BudgetOptions", "DataOptions", "Environment", "Estimate", "GroupLabelOptions",
    "Interrupted", "LearningOptions", "MachineOptions", "MethodOptions", "NetworkOptions", "Protocol", "ProtocolName",
    "RecipeName", "SamplingOptions", "Setup", "Splits", "Stopped", "TeacherOptions", "TrainOptions", "Watch",
    "build_sampler", "code_of", "computed", "computed_data", "describe_environment", "ema_decay", "estimate",
    "evaluate_teacher", "load_checkpoint", "load_data", "parted", "plan_stages", "prepare", "resolve", "resume",
    "seconds_of", "train",
]  # fmt: skip

__getattr__ = lazy_face(
    __name__,
    {
        name: f"{__name__}.{module}"
        for module, names in {
            "averaging": ("ema_decay",),
            "cost": ("Estimate", "estimate", "seconds_of"),
            "environment": ("Environment", "describe_environment"),
            "evaluation": ("evaluate_teacher",),
            "identity": ("code_of", "computed", "computed_data"),
            "loop": ("Watch",),
            "resolving": ("resolve",),
            "run": ("resume", "train"),
            "setup": ("Setup", "build_sampler", "prepare"),
            "splits": ("Splits", "load_data", "parted"),
            "stages": ("plan_stages",),
            "state": ("load_checkpoint",),
            "stopping": ("Interrupted", "Stopped"),
        }.items()
        for name in names
    },
)
