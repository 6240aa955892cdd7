"""The student: its network, initial weights and features."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fairdistill import models
from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import UsageError
from fairdistill.methods import Method
from fairdistill.models import (
    ExportedNetwork,
    dirac_weights,
    he_weights,
    head_name,
    load_weights,
    open_weights,
    whiten,
    with_two_outputs,
)
from fairdistill.models.dropout import Dropout
from fairdistill.models.files.weights import part_of
from fairdistill.models.intake import Remedies
from fairdistill.models.reading import reading_of
from fairdistill.predictions.trained.agreement import description
from fairdistill.predictions.trained.model import DeployedModel
from fairdistill.predictions.trained.opening import read_notes
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime
from fairdistill.training.networks.network import Features, check_features, place
from fairdistill.training.options import TrainOptions
from fairdistill.training.resolving import INIT_NAMES

_REMEDIES = Remedies(size="--size", network="--model")


@dataclass(frozen=True)
class Student:
    """The network that is trained.

    Attributes:
        network: initialized, on the device.
        features: where its features are.
        new_head: names of the last layer's weights that the ``--init`` file could not fill because their shapes differ.
        metadata: the metadata of ``model.safetensors``.
        notes: what was assumed about its outputs and its initial weights, one sentence each.
    """

    network: nn.Module
    features: Features
    new_head: tuple[str, ...]
    metadata: dict[str, str]
    notes: tuple[str, ...] = ()


def build_student(
    options: TrainOptions, method: Method, train: GroupedDataset, runtime: Runtime, teacher: DeployedModel | None
) -> Student:
    """Build the student and give it its initial weights.

    They come from PyTorch's global generator, which is seeded here.

    Args:
        options: network, initial weights, features and seed; resolved.
        method: says which features are read.
        train: the training set.
        runtime: the device.
        teacher: the trained teacher, if there is one, for ``--init teacher``.
    """
    torch.manual_seed(derived_seed(options.seed, "weights"))
    recipe, outputs = train.recipe, train.of_outputs()
    network = models.build(
        str(options.model), outputs.num_classes, image_size=recipe.size, pretrained=options.init == "pretrained"
    )
    _set_dropout(network, options)
    _draw_weights(network, options, train)
    new_head, notes = _initialise(network, options, teacher)
    reading = reading_of(network, size=recipe.size)
    reading.attach(network)
    if reading.kind == "probabilities" and train.attributes is not None:
        raise UsageError(
            f"{options.model} ends in probabilities; several attributes are trained from logits, so leave out its last "
            "activation"
        )
    if reading.kind == "probabilities":
        notes.append(
            f"the student's network {options.model} ends in probabilities; it is trained on their logarithms, so that "
            "no softmax is applied twice"
        )
    features = place(network, size=recipe.size, named=options.tap, runtime=runtime, remedies=_REMEDIES)
    check_features(features, method, outputs, "student")
    metadata = {
        "network": str(options.model),
        "class_names": json.dumps(outputs.class_names),
        "image_size": str(recipe.size),
        "mean": json.dumps(recipe.mean),
        "std": json.dumps(recipe.std),
        **description(train),
    }
    if train.attributes is not None:
        metadata["attributes"] = json.dumps(train.attributes.answers)
    if reading.kind == "probabilities":
        metadata["outputs"] = reading.kind
    return Student(network, features, tuple(new_head), metadata, tuple(notes))


def _set_dropout(network: nn.Module, options: TrainOptions) -> None:
    for module in network.modules():
        if isinstance(module, Dropout):
            module.blocks = options.rules.quick_step
    if options.dropout is None:
        return
    layers = [module for module in network.modules() if isinstance(module, nn.Dropout | nn.Dropout2d)]
    if not layers:
        raise UsageError(f"--dropout {options.dropout:g}: {options.model} has no dropout layer; drop it")
    for layer in layers:
        layer.p = options.dropout


_WHITENING_IMAGES = 1000  # about a million patches, for a covariance of 27 by 27


def _draw_weights(network: nn.Module, options: TrainOptions, train: GroupedDataset) -> None:
    """Draw the initial weights of ``--scratch-weights`` and ``--whitening``."""
    learning = options.learning
    if learning.scratch_weights != "default":
        he_weights(network)
    if learning.scratch_weights == "dirac":
        dirac_weights(network)
    if learning.whitening != "off":
        step = max(1, len(train) // _WHITENING_IMAGES)
        pipeline = Pipeline(train, device=torch.device("cpu"), seed=options.seed)
        images = pipeline.batch(torch.arange(0, len(train), step)[:_WHITENING_IMAGES]).images
        if not whiten(network, images, frozen=learning.whitening == "frozen"):
            raise UsageError(
                f"--whitening {learning.whitening} needs a convolution of the images as the first of {options.model}; "
                "use --whitening off"
            )


def _initialise(
    network: nn.Module, options: TrainOptions, teacher: DeployedModel | None
) -> tuple[list[str], list[str]]:
    """Load the weights that ``--init`` names; return the names in the last layer that do not fit, and notes."""
    if options.init == "teacher":
        if teacher is None:
            raise UsageError("--init teacher needs --teacher")
        if isinstance(teacher.network, ExportedNetwork):
            raise UsageError(
                f"--init teacher copies weights by name, but {options.teacher} is an exported program, which has none; "
                "drop --init teacher"
            )
        load_weights(network, _of_teacher(teacher, network), where=f"the teacher {options.teacher}")
    elif options.init not in INIT_NAMES:
        path = Path(options.init)
        file = part_of(open_weights(path, key=options.weights_key), network.state_dict(), where=options.init)
        left = load_weights(network, file.tensors, where=options.init, new_head=True)
        return left, read_notes(path, file, network, "--weights-key")
    return [], []


def _of_teacher(teacher: DeployedModel, network: nn.Module) -> dict[str, Tensor]:
    """Return the teacher's weights, its outputs in the order of the classes; one output stays one where needed."""
    place = f"{head_name(network)}.weight"
    own, given = network.state_dict(), teacher.network.state_dict()
    if place not in given or place not in own or len(own[place]) > 1:
        return with_two_outputs(teacher.network, order=teacher.outputs.order)
    if teacher.outputs.order == (1, 0):  # the one logit is that of the other class
        return {**given, **{name: -given[name] for name in (place, place.replace(".weight", ".bias")) if name in given}}
    return given
