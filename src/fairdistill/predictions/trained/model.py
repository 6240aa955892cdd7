"""A trained model from a run folder, a weights file or an exported program, with its own image preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.data import GroupedDataset, Pipeline, Recipe
from fairdistill.errors import TeacherError
from fairdistill.models.description.input_rule import rule_of
from fairdistill.models.files.weights import WeightsFile
from fairdistill.models.layout import to_device
from fairdistill.models.own_source import code_digests
from fairdistill.models.reading import OutputReading
from fairdistill.predictions.model_reading import ModelReading
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.trained.agreement import check_agreement
from fairdistill.predictions.trained.class_order import ClassOrder, assumed, matched
from fairdistill.predictions.trained.evaluation import logits_of
from fairdistill.predictions.trained.model_input import ModelInput, model_input
from fairdistill.predictions.trained.opening import OpenedModel, TrainedBy, describing, open_model
from fairdistill.predictions.trained.output_reading import read_kind
from fairdistill.predictions.trained.source import ModelSource, given_for_data, open_run
from fairdistill.system.runtime import Runtime
from fairdistill.text.progress import progress

__all__ = ["DeployedModel", "ModelSource", "TrainedBy", "given_for_data", "load_model", "open_run", "predictions_of"]


@dataclass(frozen=True)
class DeployedModel:
    """A trained network and the preprocessing it expects.

    Attributes:
        network: the network, with its weights; it returns logits in the order of the data set's classes, whatever
            its own outputs are.
        recipe: the data's augmentation at the network's own size, mean and sd.
        digest: a hash of its weights.
        trained_by: how it was trained.
        name: name of its network, as for ``--model``; None for an exported program.
        reading: how it was read.
        outputs: how its outputs become logits in the order of the classes.
        fixed_size: the only size of images that it takes, if that is known.
        own_rule: whether its images get that size as its files say, and not by an option.
        notes: what a reader should know about how it was read, one sentence each.
    """

    network: nn.Module
    recipe: Recipe
    digest: str
    trained_by: TrainedBy
    name: str | None
    reading: ModelReading
    outputs: OutputReading
    fixed_size: int | None = None
    own_rule: bool = True
    notes: tuple[str, ...] = ()

    @property
    def computes(self) -> str:
        """A text that differs for models with other weights or, if the network is own code, other code."""
        return " ".join([self.digest, *(f"{file}={digest}" for file, digest in code_digests(self.name).items())])


def load_model(
    source: ModelSource, data: GroupedDataset, runtime: Runtime, *, file: WeightsFile | None = None
) -> DeployedModel:
    """Load a model, ready for the images of a data set.

    Its outputs become logits in the order of the data set's classes, wherever it is called from then on.

    Args:
        source: where the model is.
        data: the data set; the model is tried on some of its images.
        runtime: where the model runs.
        file: the content of its weights file, if that has been read.

    Raises:
        TeacherError: if it does not exist, or its classes differ from the data's.
        UsageError: if its file cannot be read, or does not fit the network, or the network cannot take the images.
    """
    opened = open_model(source, data, file)
    with describing(source.path):
        check_agreement(opened.metadata, data, f"the {source.option} {source.path}")
    order = _order(opened, source, data)
    prepared = model_input(source, opened, data.recipe)
    recipe = prepared.recipe
    kind, more = read_kind(opened.network, recipe, source, data, runtime)
    outputs = OutputReading(kind, order.order)
    outputs.attach(opened.network)
    places = order.order or range(data.num_classes)
    by_output = sorted(zip(places, data.class_names, strict=True))
    reading = ModelReading(
        network=opened.name,
        weights_key=opened.weights_key,
        size=recipe.size,
        crop="center" if recipe.crop == "center" else "none",
        resized=min(recipe.stored) if recipe.crop == "center" else recipe.size,
        rule=str(rule_of(recipe)),
        mean=recipe.mean,
        std=recipe.std,
        outputs=kind,
        output_classes=tuple(name for _, name in by_output),
    )
    return DeployedModel(
        opened.network, recipe, opened.digest, opened.trained_by, opened.name, reading, outputs, opened.fixed_size,
        prepared.of_files, (*opened.notes, *prepared.notes, *order.notes, *more, *_guessed(source, prepared)),
    )  # fmt: skip


def _guessed(source: ModelSource, prepared: ModelInput) -> list[str]:
    """Return a note if a model runs on your own images at a size that nobody named."""
    if not prepared.guessed or source.option != "model" or not source.nameable:
        return []
    size = prepared.recipe.size
    return [
        f"Neither the model's file nor an option says how large its input is; {size} x {size} pixels were assumed. If "
        "that is wrong, so are its predictions: set --model-size"
    ]


def predictions_of(model: DeployedModel, data: GroupedDataset, *, where: str, runtime: Runtime) -> Predictions:
    """Run a model on every image of a data set, with its own size, mean and sd.

    Raises:
        TeacherError: if its number of outputs differs from the number of classes, or an output is not finite.
    """
    with progress("running the model", len(data)) as report:
        logits = finite_logits(model, data, where=where, runtime=runtime, report=report)
    return as_predictions(model, data, F.softmax(logits.double(), dim=1).cpu().numpy(), where=where)


def finite_logits(
    model: DeployedModel,
    data: GroupedDataset,
    *,
    where: str,
    runtime: Runtime,
    report: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Return a model's logits of every image, ``[N, C]``; ``where`` names the model in the error.

    Raises:
        TeacherError: as :func:`predictions_of`.
    """
    network = model.network.eval()
    to_device(network, runtime.device)
    pipeline = Pipeline(data, device=runtime.device, seed=0, recipe=model.recipe)
    logits = logits_of(network, pipeline, runtime.autocast, report=report)
    undefined = (~logits.isfinite()).any(1).nonzero().flatten().tolist()
    if undefined:
        raise TeacherError(
            f"{where} gives outputs that are not finite for {len(undefined):,} of {len(data):,} images of "
            f"{data.name}, starting with {data.ids[undefined[0]]}; check its weights and the mean and sd of its input"
        )
    return logits


def as_predictions(
    model: DeployedModel, data: GroupedDataset, probabilities: NDArray[np.float64], *, where: str
) -> Predictions:
    """Return a model's probabilities for the images of a data set, float64 ``[N, C]``, as predictions."""
    return Predictions(
        where=f"{where} on {data.name}",
        ids=np.array(data.ids, object),
        sources=data.sources,
        labels=data.labels.numpy(),
        groups=data.groups.numpy(),
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        class_names=data.class_names,
        group_names=data.group_names,
        notes=model.notes,
        model=model.reading,
        design=data.design,
    )


def _order(opened: OpenedModel, source: ModelSource, data: GroupedDataset) -> ClassOrder:
    """Return which output belongs to which class: by name where the model's files name them."""
    named, model = opened.described.class_names, f"the {source.option} {source.path}"
    if named is None:
        asks = source.classes is None and source.nameable
        return ClassOrder(notes=assumed(data.class_names)) if asks else ClassOrder()
    if opened.described.multi_label and set(named) != set(data.class_names):
        raise TeacherError(
            f"{model} has an output for each of several attributes, {', '.join(named)}, not for the classes "
            f"{', '.join(data.class_names)} of {data.name}; train and audit take all of them: --label {','.join(named)}"
        )
    origin = opened.described.files[0] if opened.beside else None
    by_user = source.classes is not None and len(named) == data.num_classes
    if by_user and named != data.class_names and (opened.beside or set(named) != set(data.class_names)):
        note = f"The outputs were taken in the order of --classes; {origin or 'the file'} names them {', '.join(named)}"
        return ClassOrder(notes=(note,))
    found = matched(named, data.class_names, model=model, data=data.name, origin=origin)
    if by_user and found.order is not None:
        note = "The order of --classes was not used for the outputs, since the model's file names them"
        found = replace(found, notes=(*found.notes, note))
    return found
