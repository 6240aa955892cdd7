"""The deployed model: where it is, the network, and its predictions on the validation set."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.work.samples import Samples
from fairdistill.models.files.kinds import is_program
from fairdistill.models.files.weights import WeightsFile
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.model import DeployedModel, load_model, predictions_of
from fairdistill.predictions.trained.source import ModelSource, given_for_data, source_of
from fairdistill.system.runtime import Runtime


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


def deployed_source(path: str, options: FixOptions) -> ModelSource:
    """Return where the deployed model is; ``--model`` is the network of the students if its file names its own."""
    source = source_of(path, options, **given_for_data(options.data, options.data_options))
    return replace(source, network=None) if Path(path).is_dir() or is_program(path) else source
