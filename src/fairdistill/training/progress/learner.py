"""The objects used in every training step: the student, its loss, its optimizer and its teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from fairdistill.data import Pipeline
from fairdistill.models import Tapped
from fairdistill.system.processes import World
from fairdistill.system.runtime import Runtime
from fairdistill.training.networks.averaging import WeightAverage
from fairdistill.training.networks.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.training.optimization.captured import CapturedPasses, CudaGraphs
from fairdistill.training.optimization.objective import Objective
from fairdistill.training.optimization.optimizer import build_optimizer
from fairdistill.training.setup import Setup
from fairdistill.types import Batch, Taps


@dataclass(frozen=True)
class Learner:
    """The objects used in every training step.

    Attributes:
        student: the network that is trained, with its features.
        objective: the terms of the loss.
        optimizer: trains the student, and the terms that have no optimizer of their own.
        average: the moving average of the student's weights; None without ``--ema``.
        teacher: returns the teacher's features of a batch; None if no term reads them.
        captured: replays the forward and backward pass as a CUDA graph; None without ``--cuda-graph``.
        runtime: device and precision.
        world: the processes that train together.
        num_classes: number of classes of the data set.
        num_groups: number of groups of the data set.
    """

    student: Tapped
    objective: Objective
    optimizer: Optimizer
    average: WeightAverage | None
    teacher: Callable[[Batch], Taps] | None
    captured: CapturedPasses | None
    runtime: Runtime
    world: World
    num_classes: int
    num_groups: int

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and kept: the average if there is one, otherwise the student itself."""
        return self.student.network if self.average is None else self.average.network


def build_learner(
    setup: Setup, teacher: Callable[[Batch], Taps] | None, say: Callable[[str], None] | None = None
) -> Learner:
    """Return the objects used in every step of a run.

    Args:
        setup: the run.
        teacher: returns the teacher's features of a batch; None if no term reads them.
        say: called with what the user should know about the steps.
    """
    decay = setup.options.learning.ema
    average = WeightAverage(setup.student.network, decay) if decay else None  # copied before it has hooks
    student = Tapped(setup.student.network, setup.student.features.points)
    if setup.options.compile:
        student.compile()
    network, others = setup.student.network, setup.objective.shared_parameters()
    return Learner(
        student=student,
        objective=setup.objective,
        optimizer=build_optimizer(setup.options.learning, network, others, fused=setup.options.rules.quick_step),
        average=average,
        teacher=teacher,
        captured=_captured(setup, say or (lambda _: None)) if setup.options.cuda_graph else None,
        runtime=setup.runtime,
        world=setup.world,
        num_classes=setup.data.train.num_classes,
        num_groups=setup.data.train.num_groups,
    )


def _captured(setup: Setup, say: Callable[[str], None]) -> CapturedPasses:
    """Return what replays the steps, and say which of them it cannot."""
    terms = setup.objective.terms.items()
    if bad := [name for name, term in terms if not getattr(term, "capturable", False)]:
        say(f"--cuda-graph: steps with {' or '.join(bad)} run without a graph")
    parameters = [*setup.student.network.parameters(), *setup.objective.parameters()]
    return CapturedPasses(CudaGraphs(), parameters, say)


def teacher_features(
    setup: Setup, pipeline: Pipeline, progress: Callable[[str], None]
) -> Callable[[Batch], Taps] | None:
    """Return a source of the teacher's features, filling the cache first; None if the method does not read any.

    Args:
        setup: the run.
        pipeline: prepares the student's images.
        progress: called with a message about what is computed.
    """
    wanted = setup.method.teacher_taps
    if setup.teacher is None or not wanted:
        return None
    plain = setup.options.teacher_images == "plain"
    own = pipeline if plain else None
    if setup.teacher.model.recipe != setup.data.train.recipe:
        device, seed = setup.runtime.device, setup.options.seed
        recipe, augmenting = setup.teacher.model.recipe, setup.options.augmenting
        own = Pipeline(setup.data.train, device=device, seed=seed, recipe=recipe, augmenting=augmenting)
    if setup.cache is None:
        return LiveTeacher(setup.teacher.network, setup.runtime, wanted, pipeline=own, plain=plain)
    memory = int(setup.options.cache_memory * 2**30)
    return CachedTeacher(
        setup.cache.load(setup.teacher.network, own or pipeline, setup.runtime, memory=memory, progress=progress)
    )
