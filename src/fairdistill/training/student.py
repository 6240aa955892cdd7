"""The student: its network, initial weights and features."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fairdistill import models
from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.methods import Method
from fairdistill.models import ExportedNetwork, load_weights, read_weights, with_two_outputs
from fairdistill.predictions.agreement import description
from fairdistill.predictions.trained_model import DeployedModel
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime
from fairdistill.training.network import Features, check_features, place
from fairdistill.training.options import TrainOptions
from fairdistill.training.resolving import INIT_NAMES


@dataclass(frozen=True)
class Student:
    """The network that is trained.

    Attributes:
        network: initialized, on the device.
        features: where its features are.
        new_head: names of the last layer's weights that the ``--init`` file could not fill because their shapes differ.
        metadata: the metadata of ``model.safetensors``.
    """

    network: nn.Module
    features: Features
    new_head: tuple[str, ...]
    metadata: dict[str, str]


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
    recipe = train.recipe
    network = models.build(
        str(options.model), train.num_classes, image_size=recipe.size, pretrained=options.init == "pretrained"
    )
    new_head = _initialise(network, options, teacher)
    features = place(network, size=recipe.size, named=options.tap, runtime=runtime)
    check_features(features, method, train, "student")
    metadata = {
        "network": str(options.model),
        "class_names": json.dumps(train.class_names),
        "image_size": str(recipe.size),
        "mean": json.dumps(recipe.mean),
        "std": json.dumps(recipe.std),
        **description(train),
    }
    return Student(network, features, tuple(new_head), metadata)


def _initialise(network: nn.Module, options: TrainOptions, teacher: DeployedModel | None) -> list[str]:
    """Load the weights that ``--init`` names; return the names of those in the last layer that do not fit."""
    if options.init == "teacher":
        if teacher is None:
            raise UsageError("--init teacher needs --teacher")
        if isinstance(teacher.network, ExportedNetwork):
            raise UsageError(
                f"--init teacher copies weights by name, but {options.teacher} is an exported program, which has none; "
                "drop --init teacher"
            )
        load_weights(network, with_two_outputs(teacher.network), where=f"the teacher {options.teacher}")
    elif options.init not in INIT_NAMES:
        return load_weights(network, read_weights(Path(options.init))[0], where=options.init, new_head=True)
    return []
