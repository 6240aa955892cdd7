"""The data of a fix: training, validation and test images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fairdistill import data
from fairdistill.data import GroupedDataset, Pipeline, Recipe
from fairdistill.fixing.options import FixOptions
from fairdistill.runs import RunFolder
from fairdistill.system.runtime import Runtime
from fairdistill.training import TrainOptions, make_splits


@dataclass(frozen=True)
class Samples:
    """The data of a fix.

    Attributes:
        train: the images that students are trained on.
        validation: the images that the choice is based on.
        test: the images that the choice is confirmed on.
        cut: whether the validation set was cut from the training set.
    """

    train: GroupedDataset
    validation: GroupedDataset
    test: GroupedDataset
    cut: bool

    @classmethod
    def load(cls, options: FixOptions, resolved: TrainOptions, run: RunFolder | None) -> Samples:
        """Load the data, split as the deployed model's run split it.

        Args:
            options: of the fix.
            resolved: options of the runs, with every default filled in.
            run: the deployed model's run folder, if it is one.

        Raises:
            DataError: if a subgroup has no validation or no test sample.
        """
        parts = data.load_splits(options.data, root=options.data_root, **resolved.data_options)
        train, validation, test = make_splits(parts, resolved, run)
        train.require_one_label("fix repairs a model of one label")
        validation.require_cells("nothing can be chosen on it")
        test.require_cells("nothing can be confirmed on it")
        return cls(train, validation, test, cut="val" not in parts)

    def some_images(self, recipe: Recipe, most: int, runtime: Runtime) -> Tensor:
        """Return up to ``most`` validation images, evenly spaced, as a model sees them."""
        data = self.validation
        rows = torch.linspace(0, len(data) - 1, min(most, len(data))).long()
        return Pipeline(data, device=runtime.device, seed=0, recipe=recipe).batch(rows).images

    @property
    def digests(self) -> dict[str, str]:
        """A digest of each part, by its name."""
        parts = {"training set": self.train, "validation set": self.validation, "test set": self.test}
        return {name: part.digest() for name, part in parts.items()}
