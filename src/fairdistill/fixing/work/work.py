"""The working data of a fix: the samples, the deployed model, the folder, and the budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from fairdistill.data import Recipe
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.work.deployed import Deployed
from fairdistill.fixing.work.samples import Samples
from fairdistill.models import ExportedNetwork
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import Runtime
from fairdistill.training import TrainOptions


@dataclass(frozen=True)
class Work:
    """The working data of a fix.

    Attributes:
        options: of the fix.
        base: options that all runs share.
        out: the folder.
        samples: the data.
        deployed: the deployed model.
        runtime: device and precision.
        clock: the remaining budget.
        notes: what a reader should know about the data.
    """

    options: FixOptions
    base: TrainOptions
    out: Path
    samples: Samples
    deployed: Deployed
    runtime: Runtime
    clock: Clock
    notes: tuple[str, ...]

    def some_images(self, recipe: Recipe, most: int) -> Tensor:
        """Return up to ``most`` validation images, evenly spaced, as a model sees them."""
        return self.samples.some_images(recipe, most, self.runtime)

    @property
    def can_continue(self) -> bool:
        """Whether students start from the deployed model's weights."""
        return self.options.init == "teacher" and not isinstance(self.deployed.model.network, ExportedNetwork)
