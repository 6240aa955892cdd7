"""Group labels for training images that lack one, predicted by a classifier where it is confident enough.

The idea is that of Jung, Chun and Moon, *Learning Fair Classifiers with Partially Annotated Group Labels* (CVPR 2022):
a classifier trained on the labelled images predicts the group of the others, and a prediction is used only above a
confidence threshold chosen on validation images of known group. In the paper an image below the threshold gets a random
group; here its group stays unknown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import DataError
from fairdistill.predictions.trained.evaluation import logits_of
from fairdistill.runs import read_json, write_json
from fairdistill.system.locks import held
from fairdistill.system.randomness import generator
from fairdistill.system.runtime import Runtime
from fairdistill.text.numbers import percent
from fairdistill.training.data.group_classifier import GroupClassifier, train_group_classifier
from fairdistill.types import UNKNOWN_GROUP


@dataclass(frozen=True)
class PseudoGroups:
    """Predicted groups, and how good they are.

    Attributes:
        groups: ``[N]`` int64, known and predicted groups, -1 for images with neither.
        threshold: the lowest confidence, a fraction, of a prediction that is used; above 1 if none is.
        right: the fraction of correct predictions among validation images at or above the threshold; NaN if there are
            none.
        covered: the fraction of validation images at or above it.
        judged: number of validation images with a group label.
    """

    groups: Tensor
    threshold: float
    right: float
    covered: float
    judged: int


def hide_groups(dataset: GroupedDataset, *, share: float, seed: int) -> GroupedDataset:
    """Return the data set with the group of some images made unknown, for experiments.

    Args:
        dataset: the images.
        share: fraction of each subgroup whose group stays known, in (0, 1]; rounded, at least one image.
        seed: selects these images.
    """
    groups = torch.full_like(dataset.groups, UNKNOWN_GROUP)
    draw = generator(seed, f"hidden groups/{dataset.name}")
    for label in range(dataset.num_classes):
        for group in range(dataset.num_groups):
            rows = ((dataset.labels == label) & (dataset.groups == group)).nonzero().flatten()
            if len(rows):
                kept = rows[torch.randperm(len(rows), generator=draw)[: max(1, round(share * len(rows)))]]
                groups[kept] = group
    return replace(dataset, groups=groups)


def best_threshold(confidence: Tensor, right: Tensor) -> float:
    """Return the confidence threshold that best separates correct predictions from wrong ones.

    It maximizes the number of predictions that are correct and at or above it, or wrong and below it. Ties go to the
    highest threshold.

    Args:
        confidence: floating point ``[N]``, N at least 1.
        right: bool ``[N]``.

    Example:
        >>> best_threshold(torch.tensor([0.6, 0.7, 0.8, 0.9]), torch.tensor([False, True, False, True]))
        0.8999999761581421
        >>> best_threshold(torch.tensor([0.6, 0.9]), torch.tensor([False, False]))
        inf
    """
    levels, level = confidence.double().unique(return_inverse=True)
    levels = torch.cat([levels, levels.new_tensor([torch.inf])])
    gained = torch.zeros_like(levels).index_add(0, level + 1, 1.0 - 2 * right.double())  # by rejecting the level below
    parted = gained.cumsum(0)  # whole numbers, so exact
    return float(levels[parted == parted.max()][-1])


def guess_groups(
    train: GroupedDataset, validation: GroupedDataset, classifier: GroupClassifier, *, runtime: Runtime
) -> PseudoGroups:
    """Train a group classifier on the images whose group is known, and predict the group of the others.

    Args:
        train: the training set, some of unknown group.
        validation: chooses the weights and the threshold, by its images of known group.
        classifier: the network and how it is trained.
        runtime: device and precision.

    Raises:
        DataError: if a group has no training image, or no validation image has a group label.
    """
    judged = validation.subset((validation.groups != UNKNOWN_GROUP).nonzero().flatten())
    if not len(judged):
        raise DataError(f"no image of {validation.name} has a group label, so no threshold can be chosen; label some")
    on_validation = Pipeline(judged, device=runtime.device, seed=classifier.seed)
    network = train_group_classifier(train, on_validation, classifier, runtime=runtime)
    sure, guess = _predicted(network, on_validation, runtime)
    right = guess == judged.groups
    threshold = best_threshold(sure, right)
    covered = sure.double() >= threshold
    groups = train.groups.clone()
    unknown = (train.groups == UNKNOWN_GROUP).nonzero().flatten()
    if len(unknown):
        others = Pipeline(train.subset(unknown), device=runtime.device, seed=classifier.seed)
        sure, guess = _predicted(network, others, runtime)
        groups[unknown] = torch.where(sure.double() >= threshold, guess, UNKNOWN_GROUP)
    return PseudoGroups(
        groups=groups,
        threshold=threshold,
        right=float(right[covered].double().mean()),
        covered=float(covered.double().mean()),
        judged=len(judged),
    )


def _predicted(network: nn.Module, images: Pipeline, runtime: Runtime) -> tuple[Tensor, Tensor]:
    """Return the confidence and the group of each image's prediction, ``[N]`` on the CPU."""
    sure, guess = logits_of(network, images, runtime.autocast).softmax(1).cpu().max(1)
    return sure, guess


def with_pseudo_groups(
    train: GroupedDataset,
    validation: GroupedDataset,
    classifier: GroupClassifier,
    *,
    folder: Path,
    runtime: Runtime,
) -> GroupedDataset:
    """Return the training set with predicted groups and a note about them; the predictions are kept in a shared file.

    Args:
        train: the training set, some of unknown group.
        validation: chooses the weights and the threshold.
        classifier: the network and how it is trained.
        folder: where the file is, or will be.
        runtime: device and precision.
    """
    if not train.num_unknown_groups:
        return train
    made_of = (
        train.digest(), validation.digest(), train.recipe, classifier.network, classifier.batch_size, classifier.seed,
    )  # fmt: skip
    key = f"{made_of}/{runtime.device.type}/{runtime.dtype}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"groups-{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.json"
    with held(file.with_suffix(".lock")):
        if not file.exists():
            found = guess_groups(train, validation, classifier, runtime=runtime)
            write_json(file, {**vars(found), "groups": found.groups.tolist()})
    kept: dict[str, Any] = read_json(file)
    filled = replace(train, groups=torch.tensor(kept["groups"], dtype=torch.int64))
    given = train.num_unknown_groups - filled.num_unknown_groups
    note = f"{given:,} of {train.num_unknown_groups:,} training images without a group label were given a predicted one"
    if kept["covered"]:
        note += (
            f", with a confidence of at least {percent(kept['threshold'], 2)}%; {percent(kept['covered'], 0)}% of "
            f"{kept['judged']:,} validation images reach it, and {percent(kept['right'])}% of those predictions are "
            "correct"
        )
    return replace(filled, notes=(*train.notes, note))
