"""A trained model from a run folder, a weights file or an exported program, with its own image preprocessing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill import models
from fairdistill.data import GroupedDataset, Pipeline, Recipe, channels
from fairdistill.errors import RunFolderError, TeacherError
from fairdistill.models import head_name, load_program, load_weights, read_weights, weights_digest
from fairdistill.predictions.agreement import check_agreement
from fairdistill.predictions.evaluation import logits_of
from fairdistill.predictions.predictions import Predictions
from fairdistill.runs import RunFolder
from fairdistill.runs.load import load
from fairdistill.system.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a trained model is, and what its file does not contain.

    Attributes:
        path: a run folder, a weights file or an exported program.
        network: the network of a weights file.
        size: height and width of its input; None: as stored in its file, else the data set's.
        mean: channel means of its input; None: as for ``size``.
        std: channel standard deviations of its input; None: as for ``size``.
        option: what the user calls the model, and the prefix of the options for its size, mean and sd.
        network_option: the option that names the network.
    """

    path: str
    network: str | None = None
    size: int | None = None
    mean: str | None = None
    std: str | None = None
    option: str = "teacher"
    network_option: str = "--teacher-model"


@dataclass(frozen=True)
class TrainedBy:
    """How a model was trained: what its run folder says, all None if it does not come from one.

    Attributes:
        method: canonical name of the method.
        protocol: honest or paper.
        steps: optimizer steps, if the run is finished.
    """

    method: str | None = None
    protocol: str | None = None
    steps: int | None = None


@dataclass(frozen=True)
class DeployedModel:
    """A trained network and the preprocessing it expects.

    Attributes:
        network: the network, with its weights.
        recipe: the data's augmentation at the network's own size, mean and sd.
        digest: a hash of its weights.
        trained_by: how it was trained.
        name: name of its network, as for ``--model``; None for an exported program.
    """

    network: nn.Module
    recipe: Recipe
    digest: str
    trained_by: TrainedBy
    name: str | None


def open_run(source: ModelSource) -> RunFolder | None:
    """Return the run folder of a model, None if the model is a file.

    Raises:
        TeacherError: if the path does not exist.
    """
    path = Path(source.path)
    if path.is_file():
        return None
    if not path.exists():
        raise TeacherError(
            f"there is no {source.option} {path}; expected a run folder, a weights file (.safetensors, .pt) or an "
            "exported program (.pt2)"
        )
    return RunFolder.open(path)


def load_model(source: ModelSource, data: GroupedDataset) -> DeployedModel:
    """Load a model, ready for the images of a data set.

    Raises:
        TeacherError: if it does not exist, or its classes differ from the data's.
        UsageError: if its file cannot be read, or does not fit the network.
    """
    path = Path(source.path)
    run = open_run(source)
    described: dict[str, str] = {}
    trained_by = TrainedBy()
    size: int | None = None
    name: str | None = None
    if run is not None:
        network, name = load(run.path), run.config.get("model")
        weights, described = read_weights(run.path / "model.safetensors")
        digest = weights_digest(weights)
        steps = run.result["budget"]["steps"] if run.finished else None
        trained_by = TrainedBy(run.config["method"], run.config["protocol"], steps)
    elif path.suffix == ".pt2":
        if source.network is not None:
            raise TeacherError(f"{path} is a complete program; drop {source.network_option}")
        program = load_program(path)
        network, size = program, program.image_size
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    else:
        weights, described = read_weights(path)
        name = source.network or described.get("network")
        if name is None:
            raise TeacherError(
                f"{path} contains only weights; name their network with {source.network_option}, for example resnet18"
            )
        with _describing(path):  # before weights for other classes fail to load
            _check_classes(described, source, data)
        network = _with_weights(name, weights, source, data)
        digest = weights_digest(weights)
    with _describing(path):
        if run is not None:
            _check_classes(described, source, data)
        check_agreement(described, data, f"the {source.option} {source.path}")
        recipe = _recipe(source, described, size, data.recipe)
    return DeployedModel(network, recipe, digest, trained_by, name)


@contextmanager
def _describing(path: Path) -> Iterator[None]:
    """Name the file whose metadata cannot be read."""
    try:
        yield
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise RunFolderError(f"{path} has unreadable model metadata: {error}") from error


def predictions_of(model: DeployedModel, data: GroupedDataset, *, where: str, runtime: Runtime) -> Predictions:
    """Run a model on every image of a data set, with its own size, mean and sd.

    Raises:
        TeacherError: if its number of outputs differs from the number of classes, or an output is not finite.
    """
    network = model.network.to(device=runtime.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format
    pipeline = Pipeline(data, device=runtime.device, seed=0, recipe=model.recipe)
    logits = logits_of(network, pipeline, runtime.autocast)
    if logits.shape[1] != data.num_classes:
        raise TeacherError(
            f"{where} has {logits.shape[1]} outputs; {data.name} has {data.num_classes} classes: "
            f"{', '.join(data.class_names)}"
        )
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
        design=data.design,
    )


def _with_weights(name: str, weights: Mapping[str, Tensor], source: ModelSource, data: GroupedDataset) -> nn.Module:
    """Return a network with weights; for two classes its head may have a single (sigmoid) output."""
    size = source.size or data.recipe.size
    network = models.build(name, data.num_classes, image_size=size)
    place = f"{head_name(network)}.weight"
    head, own = weights.get(place), network.state_dict().get(place)
    if data.num_classes == 2 and head is not None and len(head) == 1:
        network = models.build(name, 1, image_size=size)
    elif head is not None and own is not None and len(own) == data.num_classes != len(head):
        raise TeacherError(
            f"the {source.option} {source.path} has {len(head)} outputs; {data.name} has {data.num_classes} classes: "
            f"{', '.join(data.class_names)}"
        )
    load_weights(network, weights, where=source.path)
    return network


def _check_classes(described: Mapping[str, str], source: ModelSource, data: GroupedDataset) -> None:
    if "class_names" not in described:
        return
    classes = tuple(json.loads(described["class_names"]))
    if classes == data.class_names:
        return
    remedy = ""
    if set(classes) == set(data.class_names):
        remedy = f"; use --classes {','.join(classes)} to match the order of its outputs"
    raise TeacherError(
        f"the {source.option} {source.path} was trained on the classes {', '.join(classes)}; {data.name} has "
        f"{', '.join(data.class_names)}{remedy}"
    )


def _recipe(source: ModelSource, described: Mapping[str, str], size: int | None, data: Recipe) -> Recipe:
    if size is not None and source.size not in (None, size):
        raise TeacherError(f"the {source.option} {source.path} takes {size} pixels; drop --{source.option}-size")
    size = source.size or size or int(described.get("image_size", data.size))
    mean, std = data.mean, data.std
    if "mean" in described:
        mean, std = (_three(json.loads(described[name])) for name in ("mean", "std"))
    if source.mean is not None:
        mean = channels(f"{source.option}_mean", source.mean)
    if source.std is not None:
        std = channels(f"{source.option}_std", source.std, positive=True)
    return replace(data.resized(size), mean=mean, std=std)


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)
