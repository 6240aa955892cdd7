"""Auditing a model with a data set: the model is run over the test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairdistill import data
from fairdistill.contract import check_types
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained_model import ModelSource, load_model, predictions_of
from fairdistill.system.runtime import Precision, choose_runtime


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """A model that is run over a data set's test images, and over its validation images if it has some."""

    data: str
    """Data set: digits-s, cifar10s, utkface, celeba, a table (.csv, .tsv, .parquet) or a class folder."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, for a table the table's folder."""
    model: str | None = None
    """Network of a file of weights, named as for train --model."""
    model_size: int | None = None
    """Height and width of the model's input; default: what its file says, else the data's."""
    model_mean: str | None = None
    """Channel means of the model's input; default: what its file says, else the data's."""
    model_std: str | None = None
    """Channel standard deviations of the model's input; default: what its file says, else the data's."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """auto: bfloat16 autocast where the processor has it in hardware, else float32."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.model_size is not None and self.model_size < 1:
            raise UsageError(f"expected model_size to be at least 1, but got {self.model_size}")


def model_inputs(
    path: str, options: ModelOptions, data_options: Mapping[str, Any]
) -> tuple[Predictions, Predictions | None]:
    """Run a model over the test images of a data set, and over its own validation images where it has some.

    Args:
        path: a run folder, a file of weights or an exported program.
        options: which data, and what the model's file does not say.
        data_options: the data set's own options.

    Raises:
        UsageError: for a model or options that do not fit.
        DataError: for data that cannot be used.
    """
    runtime = choose_runtime(options.device, options.precision)
    parts = data.load_splits(options.data, ["val", "test"], root=options.data_root, **data_options)
    if "test" not in parts:
        raise UsageError(f"{options.data} has no test rows; say which they are, such as --split-map val=test")
    source = ModelSource(
        path=path,
        network=options.model,
        size=options.model_size,
        mean=options.model_mean,
        std=options.model_std,
        option="model",
        network_option="--model",
    )
    model = load_model(source, parts["test"])
    found = {split: predictions_of(model, part, where=path, runtime=runtime) for split, part in parts.items()}
    return found["test"], found.get("val")
