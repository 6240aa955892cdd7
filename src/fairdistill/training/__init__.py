"""Training: options in, a finished run folder out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
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
from fairdistill.training.settings.learning_options import LearningOptions
from fairdistill.training.settings.protocol import HONEST, PAPER, PROTOCOLS, Protocol, ProtocolName
from fairdistill.training.settings.recipe import RecipeName

if TYPE_CHECKING:
    from fairdistill.training.data.splits import Splits, load_data, make_splits
    from fairdistill.training.identity import code_of, identity_of, identity_of_data
    from fairdistill.training.loop import Watch
    from fairdistill.training.machine.cost import Estimate, estimate, seconds_of
    from fairdistill.training.machine.environment import Environment, describe_environment
    from fairdistill.training.networks.averaging import ema_decay
    from fairdistill.training.optimization.stages import plan_stages
    from fairdistill.training.progress.evaluation import evaluate_teacher
    from fairdistill.training.progress.state import load_checkpoint
    from fairdistill.training.progress.stopping import Interrupted, Stopped
    from fairdistill.training.resolving import resolve
    from fairdistill.training.setup import Setup, build_sampler, prepare
    from fairdistill.training.train import resume, train

__all__ = [
    "HONEST", "PAPER", "PROTOCOLS", "BudgetOptions", "DataOptions", "Environment", "Estimate", "GroupLabelOptions",
    "Interrupted", "LearningOptions", "MachineOptions", "MethodOptions", "NetworkOptions", "Protocol", "ProtocolName",
    "RecipeName", "SamplingOptions", "Setup", "Splits", "Stopped", "TeacherOptions", "TrainOptions", "Watch",
    "build_sampler", "code_of", "describe_environment", "ema_decay", "estimate", "evaluate_teacher", "identity_of",
    "identity_of_data", "load_checkpoint", "load_data", "make_splits", "plan_stages", "prepare", "resolve", "resume",
    "seconds_of", "train",
]  # fmt: skip

__getattr__ = lazy_face(
    __name__,
    {
        "data.splits": ("Splits", "load_data", "make_splits"),
        "identity": ("code_of", "identity_of", "identity_of_data"),
        "loop": ("Watch",),
        "machine.cost": ("Estimate", "estimate", "seconds_of"),
        "machine.environment": ("Environment", "describe_environment"),
        "networks.averaging": ("ema_decay",),
        "optimization.stages": ("plan_stages",),
        "progress.evaluation": ("evaluate_teacher",),
        "progress.state": ("load_checkpoint",),
        "progress.stopping": ("Interrupted", "Stopped"),
        "resolving": ("resolve",),
        "setup": ("Setup", "build_sampler", "prepare"),
        "train": ("resume", "train"),
    },
)
