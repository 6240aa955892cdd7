"""A run in progress: its setup, the objects used in every step, and its progress."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from fairdistill.data import Pipeline
from fairdistill.runs import RunFolder
from fairdistill.system.randomness import derived_seed
from fairdistill.training.machine.pace import Threads, chooses_threads
from fairdistill.training.optimization.objective import LossMeter
from fairdistill.training.optimization.schedule import Schedule
from fairdistill.training.progress.console import RunConsole
from fairdistill.training.progress.learner import Learner, build_learner, teacher_features
from fairdistill.training.setup import Setup


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        step: optimizer steps done.
        log_rows: rows of the log written.
        seconds: time spent in training steps.
        row_seconds: the part of it since the last row of the log.
        meter: means of the loss since then.
        best: the weights of the best evaluation so far; None if the last are kept.
        best_standing: how that evaluation stands; see :func:`~fairdistill.training.settings.keeping.standing`.
        best_step: the step of that evaluation.
        collapsed: whether the student predicted a single class at the last evaluation.
        threads: the number of CPU threads; None if the run does not choose it.
    """

    step: int = 0
    log_rows: int = 0
    seconds: float = 0.0
    row_seconds: float = 0.0
    meter: LossMeter = field(default_factory=LossMeter)
    best: dict[str, Tensor] | None = None
    best_standing: tuple[float, ...] = ()
    best_step: int = 0
    collapsed: bool = False
    threads: Threads | None = None

    def spend(self, seconds: float) -> None:
        """Count the time of a step."""
        self.seconds += seconds
        self.row_seconds += seconds


@dataclass(frozen=True)
class ActiveRun:
    """A run in progress.

    Attributes:
        setup: what was prepared.
        folder: its run folder.
        console: shows its progress.
        pipeline: prepares the training images.
        validation: prepares the validation images.
        learner: the objects used in every step.
        schedule: sets the learning rate.
        progress: how far it has come.
    """

    setup: Setup
    folder: RunFolder
    console: RunConsole
    pipeline: Pipeline
    validation: Pipeline
    learner: Learner
    schedule: Schedule
    progress: Progress


def activate(setup: Setup, folder: RunFolder, pipeline: Pipeline, console: RunConsole) -> ActiveRun:
    """Build what a run needs in every step, and compute the teacher's features if they are cached.

    Seeds PyTorch's global generator for dropout.
    """
    options, learning = setup.options, setup.options.learning
    learner = build_learner(setup, teacher_features(setup, pipeline, console.say), console.say)
    run = ActiveRun(
        setup=setup,
        folder=folder,
        console=console,
        pipeline=pipeline,
        validation=Pipeline(setup.data.validation, device=setup.runtime.device, seed=options.seed),
        learner=learner,
        schedule=Schedule(learning.schedule, learner.optimizer, setup.stages[-1], warmup=learning.lr_warmup),
        progress=Progress(threads=Threads(torch.get_num_threads()) if chooses_threads(setup) else None),
    )
    torch.manual_seed(derived_seed(options.seed, "dropout"))
    return run
