"""A trained model from a run folder, a weights file or an exported program, with its own image preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import nn
from torch.nn import functional as F

from fairdistill.data import GroupedDataset, Pipeline, Recipe, channels
from fairdistill.errors import TeacherError
from fairdistill.models.described import Described
from fairdistill.models.layout import to_device
from fairdistill.models.reading import OutputReading
from fairdistill.predictions.agreement import check_agreement
from fairdistill.predictions.class_order import ClassOrder, assumed, matched
from fairdistill.predictions.evaluation import logits_of
from fairdistill.predictions.model_reading import ModelReading
from fairdistill.predictions.model_source import ModelSource, given_for_data, open_run
from fairdistill.predictions.opening import OpenedModel, TrainedBy, describing, open_model
from fairdistill.predictions.output_reading import read_kind
from fairdistill.predictions.predictions import Predictions
from fairdistill.system.runtime import Runtime
from fairdistill.text.lists import joined
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
        notes: what a reader should know about how it was read, one sentence each.
    """

    network: nn.Module
    recipe: Recipe
    digest: str
    trained_by: TrainedBy
    name: str | None
    reading: ModelReading
    outputs: OutputReading
    notes: tuple[str, ...] = ()


def load_model(source: ModelSource, data: GroupedDataset, runtime: Runtime) -> DeployedModel:
    """Load a model, ready for the images of a data set.

    Its outputs become logits in the order of the data set's classes, wherever it is called from then on.

    Args:
        source: where the model is.
        data: the data set; the model is tried on some of its images.
        runtime: where the model runs.

    Raises:
        TeacherError: if it does not exist, or its classes differ from the data's.
        UsageError: if its file cannot be read, or does not fit the network, or the network cannot take the images.
    """
    opened = open_model(source, data)
    with describing(source.path):
        check_agreement(opened.metadata, data, f"the {source.option} {source.path}")
    order = _order(opened, source, data)
    recipe, notes = _recipe(source, opened, data.recipe)
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
        mean=recipe.mean,
        std=recipe.std,
        outputs=kind,
        output_classes=tuple(name for _, name in by_output),
    )
    return DeployedModel(
        opened.network, recipe, opened.digest, opened.trained_by, opened.name, reading, outputs,
        (*opened.notes, *notes, *order.notes, *more),
    )  # fmt: skip


def predictions_of(model: DeployedModel, data: GroupedDataset, *, where: str, runtime: Runtime) -> Predictions:
    """Run a model on every image of a data set, with its own size, mean and sd.

    Raises:
        TeacherError: if its number of outputs differs from the number of classes, or an output is not finite.
    """
    network = model.network.eval()
    to_device(network, runtime.device)
    pipeline = Pipeline(data, device=runtime.device, seed=0, recipe=model.recipe)
    with progress("running the model", len(data)) as report:
        logits = logits_of(network, pipeline, runtime.autocast, report=report)
    undefined = (~logits.isfinite()).any(1).nonzero().flatten().tolist()
    if undefined:
        raise TeacherError(
            f"{where} gives outputs that are not finite for {len(undefined):,} of {len(data):,} images of "
            f"{data.name}, starting with {data.ids[undefined[0]]}; check its weights and the mean and sd of its input"
        )
    probabilities = F.softmax(logits.double(), dim=1).cpu().numpy()
    return Predictions(
        where=f"{where} on {data.name}",
        ids=np.array(data.ids, object),
        sources=np.unique(data.source_ids, return_inverse=True)[1].astype(np.int64),
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


def _recipe(source: ModelSource, opened: OpenedModel, data: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """Return how the model's images are prepared, and what was assumed about it."""
    fixed, described = opened.fixed_size, opened.described
    if fixed is not None and source.size not in (None, fixed):
        raise TeacherError(f"the {source.option} {source.path} takes {fixed} pixels; drop --{source.option}-size")
    if described.reversed_channels and source.network is None:
        raise TeacherError(
            f"{described.files[-1]} says that the {source.option} {source.path} takes blue, green, red; wrap it in a "
            f"module whose forward calls network(images.flip(1)), and name that with {source.network_option} "
            "MODULE:FACTORY"
        )
    mean, std = described.mean or data.mean, described.std or data.std
    if source.mean is not None:
        mean = channels(f"{source.option}_mean", source.mean)
    if source.std is not None:
        std = channels(f"{source.option}_std", source.std, positive=True)
    size = source.size or fixed or described.size or data.size
    recipe = replace(data.resized(size), mean=mean, std=std)
    return recipe, (*_unused_notes(source, described, data), *_recipe_notes(source, described, data))


def _recipe_notes(source: ModelSource, described: Described, data: Recipe) -> tuple[str, ...]:
    if not described.files:
        return ()
    used = [
        text
        for text, known, given in (
            ("network", described.network, source.network), ("size", described.size, source.size),
            ("mean", described.mean, source.mean), ("standard deviation", described.std, source.std),
        )
        if known is not None and given is None
    ]  # fmt: skip
    notes = [f"{' and '.join(described.files)} beside the weights gave the {joined(used)}"] if used else []
    if described.interpolation is not None:
        notes.append(
            f"According to {described.files[-1]}, the model's images were resized with {described.interpolation} "
            "interpolation; here they were resized bilinearly, with antialiasing"
        )
    return (*notes, *_crop_notes(described, data))


def _unused_notes(source: ModelSource, described: Described, data: Recipe) -> tuple[str, ...]:
    """Return a note for each option of the data that a deployed model's own file overrides."""
    notes = []
    for name in source.of_data if source.option == "model" else ():
        own, given = getattr(described, name), getattr(data, name)
        if getattr(source, name) is not None or own in (None, given):
            continue
        if name == "size":
            notes.append(
                f"Images were read at --size {given} and resized to the {own} pixels that the model was made for"
            )
        else:
            shown = ", ".join(f"{value:.4g}" for value in own)
            notes.append(f"--{name} was not used, since the model's file gives {shown}; --model-{name} changes it")
    return tuple(notes)


def _crop_notes(described: Described, data: Recipe) -> tuple[str, ...]:
    """Return a note if the model's files tell of a center crop and the images are not cropped like that."""
    if described.resized is None:
        return ()
    resized = round(data.size * described.resized / (described.size or data.size))
    short = min(data.stored) if data.crop == "center" else None
    if short == resized:
        return ()
    here = "the whole image was resized" if short is None else f"the short side was resized to {short} pixels"
    return (
        f"According to {described.files[-1]}, the model was trained on the center of images; here {here}. To prepare "
        f"them as it says, add --crop center --stored-size {resized}",
    )
