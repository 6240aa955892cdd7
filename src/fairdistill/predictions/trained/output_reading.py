"""Finding out what a model's outputs are, by running it on some images of the data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fairdistill.data import GroupedDataset, Pipeline, Recipe
from fairdistill.errors import TeacherError
from fairdistill.models import ExportedNetwork
from fairdistill.models.ending import LINEAR, last_operation
from fairdistill.models.intake import check_images
from fairdistill.models.layout import settle_layout
from fairdistill.models.outputs import raw_outputs
from fairdistill.models.reading import OutputKind, output_kind, sum_to_one
from fairdistill.predictions.trained.class_order import wrong_number
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.system.runtime import Runtime

_SAMPLE, _FEW = 128, 16


def read_kind(
    network: nn.Module, recipe: Recipe, source: ModelSource, data: GroupedDataset, runtime: Runtime
) -> tuple[OutputKind, tuple[str, ...]]:
    """Return what a model's outputs are, and notes; the model is checked on some images of the data first.

    Args:
        network: it is moved to the device, and left in eval mode.
        recipe: how the model's images are prepared.
        source: the model, as the user gave it.
        data: the images.
        runtime: device and precision.

    Raises:
        UsageError: if the network cannot take the images, or returns something other than a row of outputs for each.
        TeacherError: if its number of outputs differs from the number of classes, or an output is not finite.
    """
    example = torch.zeros(2, 3, recipe.size, recipe.size, device=runtime.device)
    name = f"the {source.option} {source.path}"
    network.eval()
    settle_layout(network, example)
    with runtime.autocast():
        outputs = check_images(network, example, name=name, remedies=source.remedies)
        ending = last_operation(network, example)
    if ending is None and isinstance(network, ExportedNetwork):
        ending = network.ending
    _check_number(outputs.shape[1], name, data)
    found = _on_sample(network, recipe, data, runtime, few=ending in LINEAR and outputs.shape[1] > 1)
    if source.option == "teacher" and not bool(found.isfinite().all()):  # the others are run on all images next
        raise TeacherError(
            f"{name} gives outputs that are not finite for images of {data.name}; check its weights and the mean and "
            "sd of its input"
        )
    if source.outputs != "auto":
        return source.outputs, ()
    kind = output_kind(found, ending)
    return kind, _notes(found, source) if kind == "probabilities" else ()


def _check_number(outputs: int, name: str, data: GroupedDataset) -> None:
    if outputs == data.num_classes or (outputs == 1 and data.num_classes == 2):
        return
    raise wrong_number(outputs, data.class_names, model=name)


def _on_sample(network: nn.Module, recipe: Recipe, data: GroupedDataset, runtime: Runtime, *, few: bool) -> Tensor:
    """Return the outputs for images that are spread over the data."""
    size = min(len(data), _FEW if few else _SAMPLE)
    rows = torch.linspace(0, len(data) - 1, size).long()
    pipeline = Pipeline(data, device=runtime.device, seed=0, recipe=recipe)
    found = []
    for part in rows.split(_FEW):
        with torch.no_grad(), runtime.autocast():
            found.append(raw_outputs(network(pipeline.batch(part).images)).float())
    return torch.cat(found)


def _notes(outputs: Tensor, source: ModelSource) -> tuple[str, ...]:
    option = f"--{source.option}-outputs logits"
    if outputs.shape[1] == 1:
        what = "its single output always lies in [0, 1], as after a sigmoid"
    elif sum_to_one(outputs):
        what = "they lie in [0, 1] and sum to 1, as after a softmax"
    else:
        what = "each is a sigmoid of its own; they were divided by their sum"
    return (f"The outputs of {source.path} were taken for probabilities: {what} (if they are logits, add {option})",)
