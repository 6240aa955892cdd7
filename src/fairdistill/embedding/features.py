"""The features of a run's student and teacher, for every test image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairdistill.data import GroupedDataset, Pipeline, Recipe
from fairdistill.errors import TeacherError, UsageError
from fairdistill.models import Tapped, check_program, find_taps, parse_taps
from fairdistill.models.layout import settle_layout
from fairdistill.models.reading import OutputReading
from fairdistill.predictions.trained.model import ModelSource, load_model
from fairdistill.runs import RunFolder
from fairdistill.runs.load import load_network
from fairdistill.system.runtime import Runtime
from fairdistill.text.progress import progress
from fairdistill.types import TapName

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network whose features are read.

    Attributes:
        name: student or teacher, for messages.
        network: the network.
        recipe: how its images are prepared.
        taps: the value of ``--tap`` or ``--teacher-tap`` in the run, None for the defaults.
    """

    name: str
    network: nn.Module
    recipe: Recipe
    taps: str | None


@dataclass(frozen=True)
class Features:
    """The features and predictions of a network on the test images.

    Attributes:
        values: the features, flattened, float32 ``[N, D]``.
        predicted: the predicted classes, int64 ``[N]``.
    """

    values: NDArray[np.float32]
    predicted: Tensor


def student_of(run: RunFolder, recipe: Recipe) -> Subject:
    """Return the trained network of a run."""
    network, file = load_network(run.path)
    if file.metadata.get("outputs") == "probabilities":
        OutputReading("probabilities").attach(network)
    return Subject(name="student", network=network, recipe=recipe, taps=run.config["tap"])


def teacher_of(
    config: Mapping[str, Any], result: Mapping[str, Any], test: GroupedDataset, runtime: Runtime
) -> Subject | None:
    """Return the teacher of a run; None if there was none.

    Raises:
        FairdistillError: if it is no longer available, or no longer the one that taught the run.
    """
    if config["teacher"] is None:
        return None
    source = ModelSource(
        path=config["teacher"],
        network=config["teacher_model"],
        weights_key=config.get("teacher_weights_key"),
        size=config["teacher_size"],
        mean=config["teacher_mean"],
        std=config["teacher_std"],
        given_rule=config.get("teacher_input"),
        outputs=config.get("teacher_outputs", "auto"),
        classes=config["data_options"].get("classes"),
    )
    check_program(source.path)
    model = load_model(source, test, runtime)
    if model.digest != result["digests"]["teacher"]:
        raise TeacherError(f"the weights of {source.path} have changed since this run was trained")
    return Subject(name="teacher", network=model.network, recipe=model.recipe, taps=config["teacher_tap"])


def features_of(subject: Subject, dataset: GroupedDataset, tap: TapName, device: torch.device) -> Features:
    """Run a network over every image of a data set, in float32.

    Raises:
        UsageError: if the network has no such feature, or the features are not finite.
    """
    network, size = subject.network.eval(), subject.recipe.size
    settle_layout(network, torch.zeros(2, 3, size, size, device=device))
    points = find_taps(network, torch.zeros(1, 3, size, size, device=device), named=parse_taps(subject.taps))
    if tap not in points and tap != "logits":
        has = ", ".join(sorted({*points, "logits"}))
        raise UsageError(f"expected tap to be a feature of the {subject.name}'s network ({has}), but got {tap!r}")
    tapped = Tapped(network, {name: point for name, point in points.items() if name == tap})
    pipeline = Pipeline(dataset, device=device, seed=0, recipe=subject.recipe)
    features, predicted = [], []
    with torch.no_grad(), progress(f"features of the {subject.name}", len(dataset)) as report:
        for rows in torch.arange(len(dataset)).split(_BATCH):
            taps = tapped(pipeline.batch(rows).images)
            features.append(taps[tap].float().flatten(1).cpu())
            predicted.append(taps["logits"].argmax(1).cpu())
            report(len(rows))
    found = torch.cat(features)
    bad = (~found.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if bad:
        raise UsageError(
            f"the {tap} features of the {subject.name} are not finite, starting with image {dataset.ids[bad[0]]}; "
            "train it again with a smaller --lr"
        )
    return Features(found.numpy(), torch.cat(predicted))
