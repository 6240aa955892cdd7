"""Types shared by the subpackages: feature names, a batch, and what a loss term sees of a training step.

Importing this does not load PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from torch import Tensor

    from fairdistill.system.processes import World

TapName = Literal["embedding", "map", "logits", "feature"]
"""The four features that are read from a network.

``embedding``: the input of the last linear layer. ``map``: the last convolutional map after its ReLU, before
pooling. ``logits``: the output. ``feature``: what MFD and the hint read, chosen per network.
"""

TAP_NAMES: tuple[TapName, ...] = get_args(TapName)

Taps: TypeAlias = "Mapping[TapName, Tensor]"

UNKNOWN_GROUP = -1
"""The group index of a sample whose group is unknown. Only losses that do not need groups use such samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What was drawn at random for each image of a batch, on the CPU; None where nothing is drawn.

    Attributes:
        state: ``[N]`` int64, 1 for images that are flipped; together with the row the key of the teacher cache.
        boxes: ``[N, 4]`` float64: top, left, height and width of each image's crop, as fractions of the image.
        operations: ``[N]`` int64, the seed of each image's RandAugment operations.
        shifts: ``[N, 2]`` float64: how far each image moves down and to the right, as fractions of its size.
        holes: ``[N, 4]`` float64: top, left, height and width of each image's cutout, as fractions of its size.
    """

    state: Tensor
    boxes: Tensor | None = None
    operations: Tensor | None = None
    shifts: Tensor | None = None
    holes: Tensor | None = None

    def of(self, rows: slice) -> Draws:
        """Return the draws of some of the images."""
        drawn: dict[str, Tensor | None] = {each.name: getattr(self, each.name) for each in fields(self)}
        own: dict[str, Any] = {name: None if each is None else each[rows] for name, each in drawn.items()}
        return Draws(**own)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch on the device, normalized and augmented.

    Attributes:
        images: ``[N, 3, H, W]`` floating point.
        labels: ``[N]`` int64 classes.
        groups: ``[N]`` int64 groups, ``UNKNOWN_GROUP`` where unknown.
        index: ``[N]`` int64 rows of the data set, on the CPU.
        draws: how each image was changed.
        global_batch_size: rows of the whole batch if these are one process's share of it; None if these are all.
    """

    images: Tensor
    labels: Tensor
    groups: Tensor
    index: Tensor
    draws: Draws
    global_batch_size: int | None = None

    @property
    def state(self) -> Tensor:
        """``[N]`` int64 on the CPU, 1 for flipped images; together with ``index`` the key of the teacher cache."""
        return self.draws.state


def _alone() -> World:
    from fairdistill.system.processes import ALONE

    return ALONE


@dataclass(frozen=True, slots=True)
class StepView:
    """Everything a loss term may look at in one training step.

    Attributes:
        student: the student's features by name, with gradients.
        teacher: the teacher's features by name, without gradients; empty if no term reads any.
        labels: ``[N]`` int64 classes.
        groups: ``[N]`` int64 groups, ``UNKNOWN_GROUP`` where unknown.
        num_classes: number of classes of the data set.
        num_groups: number of groups of the data set.
        progress: fraction of the stage that is done, from 0 at its first step to 1 at its last.
        ramp: fraction of their strength that terms which start gently have in this step, in (0, 1].
        world: the processes that share the batch.
        global_batch_size: rows of the whole batch if these are one process's share of it; None if these are all.
    """

    student: Taps
    teacher: Taps
    labels: Tensor
    groups: Tensor
    num_classes: int
    num_groups: int
    progress: float
    ramp: float = 1.0
    world: World = field(default_factory=_alone)
    global_batch_size: int | None = None

    @property
    def share(self) -> float:
        """These rows as a fraction of the whole batch."""
        return 1.0 if self.global_batch_size is None else len(self.labels) / self.global_batch_size

    def gather(self, own: Tensor) -> Tensor:
        """Return the rows of the whole batch, of which ``own`` are this process's; see :meth:`World.gather`."""
        return own if self.global_batch_size is None else self.world.gather(own, rows=self.global_batch_size)
