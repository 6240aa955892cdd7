"""The working data of a fix: the samples, the deployed model, the folder, and the budget."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from fairdistill import data
from fairdistill.data import GroupedDataset, Pipeline, Recipe
from fairdistill.fixing.options import FixOptions
from fairdistill.models import ExportedNetwork
from fairdistill.models.kinds import is_program
from fairdistill.models.weights import WeightsFile
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained_model import (
    DeployedModel,
    ModelSource,
    given_for_data,
    load_model,
    predictions_of,
)
from fairdistill.runs import RunFolder
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import Runtime
from fairdistill.training import TrainOptions, parted


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
        train, validation, test = parted(parts, resolved, run)
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


@dataclass(frozen=True)
class Deployed:
    """The deployed model.

    Attributes:
        source: where it is.
        model: the network and the preprocessing it expects.
        validation: its predictions on the validation set.
        image_seconds: how long it takes for an image.
    """

    source: ModelSource
    model: DeployedModel
    validation: Predictions
    image_seconds: float

    @classmethod
    def read(
        cls, source: ModelSource, samples: Samples, runtime: Runtime, *, file: WeightsFile | None = None
    ) -> Deployed:
        """Load the model and run it over the validation set; ``file`` is the content of its file, if that was read."""
        model = load_model(source, samples.validation, runtime, file=file)
        started = time.perf_counter()
        found = predictions_of(model, samples.validation, where=source.path, runtime=runtime)
        seconds = time.perf_counter() - started
        return cls(source, model, found, seconds / len(found))


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

    @property
    def cache(self) -> Path:
        """Where features are kept, also those of the students' teacher."""
        return self.out / ".teacher-cache"

    def some_images(self, recipe: Recipe, most: int) -> Tensor:
        """Return up to ``most`` validation images, evenly spaced, as a model sees them."""
        return self.samples.some_images(recipe, most, self.runtime)

    @property
    def can_continue(self) -> bool:
        """Whether students start from the deployed model's weights."""
        return self.options.init == "teacher" and not isinstance(self.deployed.model.network, ExportedNetwork)


def source_of(path: str, options: FixOptions) -> ModelSource:
    """Return where the deployed model is, and what its file does not contain."""
    known = Path(path).is_dir() or is_program(path)
    return ModelSource(
        path=path, network=None if known else options.model, weights_key=options.weights_key,
        size=options.model_size, mean=options.model_mean, std=options.model_std, given_rule=options.model_input,
        outputs=options.model_outputs,
        **given_for_data(options.data, options.data_options), option="model", network_option="--model",
    )  # fmt: skip
