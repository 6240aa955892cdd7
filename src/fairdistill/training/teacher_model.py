"""The teacher from a run folder, a file of weights or an exported program, with its own preparation of images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fairdistill import models, runs
from fairdistill.data.dataset import GroupedDataset, Recipe
from fairdistill.data.table import channels
from fairdistill.errors import RunFolderError, TeacherError
from fairdistill.models.exported import load_program
from fairdistill.models.head import head_name
from fairdistill.models.weights import load_weights, read_weights
from fairdistill.runs import RunFolder
from fairdistill.training.options import TrainOptions


@dataclass(frozen=True)
class TeacherModel:
    """A trained network and how it wants its images.

    Attributes:
        network: the network, with its weights.
        recipe: the student's augmentation at the teacher's own size, mean and sd.
        digest: a hash of its weights.
        record: its method, protocol and steps, where a run folder tells.
    """

    network: nn.Module
    recipe: Recipe
    digest: str
    record: Mapping[str, Any]


def open_run(teacher: str | None) -> RunFolder | None:
    """Return the teacher's run folder, None if there is no teacher or it is a file.

    Raises:
        TeacherError: if there is nothing of that name.
    """
    if teacher is None or Path(teacher).is_file():
        return None
    if not Path(teacher).exists():
        raise TeacherError(
            f"there is no teacher {teacher}; expected a run folder, a file of weights (.safetensors, .pt) or an "
            "exported program (.pt2)"
        )
    return RunFolder.open(teacher)


def load_teacher(options: TrainOptions, run: RunFolder | None, train: GroupedDataset) -> TeacherModel:
    """Return the teacher that the options name.

    Args:
        options: ``teacher`` and the options that begin with it.
        run: the teacher's run folder, if it is one.
        train: what the student trains on.

    Raises:
        TeacherError: if its classes are not those of the data.
        UsageError: if its file cannot be read, or does not fit the network.
    """
    path = Path(str(options.teacher))
    described: dict[str, str] = {}
    record: dict[str, Any] = dict.fromkeys(("method", "protocol", "steps"))
    size: int | None = None
    if run is not None:
        network = runs.load(run.path)
        weights, described = read_weights(run.path / "model.safetensors")
        digest = runs.weights_digest(weights)
        record["method"], record["protocol"] = run.config["method"], run.config["protocol"]
        record["steps"] = run.result["budget"]["steps"] if run.finished else None
    elif path.suffix == ".pt2":
        if options.teacher_model is not None:
            raise TeacherError(f"{path} is a whole program; leave --teacher-model out")
        program = load_program(path)
        network, size = program, program.image_size
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    else:
        weights, described = read_weights(path)
        name = options.teacher_model or described.get("network")
        if name is None:
            raise TeacherError(f"{path} holds weights alone; name their network with --teacher-model, such as resnet18")
        network = _with_weights(name, weights, path, train.num_classes, options.teacher_size or train.recipe.size)
        digest = runs.weights_digest(weights)
    try:
        _check_classes(described, path, train)
        recipe = _recipe(options, described, size, train.recipe)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise RunFolderError(f"{path} does not describe itself as a model of ours should: {error}") from error
    return TeacherModel(network, recipe, digest, record)


def _with_weights(name: str, weights: Mapping[str, Tensor], path: Path, num_classes: int, image_size: int) -> nn.Module:
    """Return a network with weights; of two classes its head may have one output, that of a sigmoid."""
    network = models.build(name, num_classes, image_size=image_size)
    head = weights.get(f"{head_name(network)}.weight")
    if num_classes == 2 and head is not None and len(head) == 1:
        network = models.build(name, 1, image_size=image_size)
    load_weights(network, weights, where=str(path))
    return network


def _check_classes(described: Mapping[str, str], path: Path, train: GroupedDataset) -> None:
    if "class_names" not in described:
        return
    classes = tuple(json.loads(described["class_names"]))
    if classes == train.class_names:
        return
    remedy = ""
    if set(classes) == set(train.class_names):
        remedy = f"; the order of its outputs is what --classes {','.join(classes)} gives"
    raise TeacherError(
        f"the teacher {path} knows the classes {', '.join(classes)}; {train.name} has "
        f"{', '.join(train.class_names)}{remedy}"
    )


def _recipe(options: TrainOptions, described: Mapping[str, str], size: int | None, student: Recipe) -> Recipe:
    if size is not None and options.teacher_size not in (None, size):
        raise TeacherError(f"the teacher {options.teacher} takes {size} pixels; leave --teacher-size out")
    size = options.teacher_size or size or int(described.get("image_size", student.size))
    mean, std = student.mean, student.std
    if "mean" in described:
        mean, std = (_three(json.loads(described[name])) for name in ("mean", "std"))
    if options.teacher_mean is not None:
        mean = channels("teacher_mean", options.teacher_mean)
    if options.teacher_std is not None:
        std = channels("teacher_std", options.teacher_std, positive=True)
    return replace(student.resized(size), mean=mean, std=std)


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)
