"""Whether the deployed model does much better on its training images than on others."""

from __future__ import annotations

import importlib.util

import torch

from fairdistill.fixing import folder
from fairdistill.fixing.search import Search
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained_model import predictions_of
from fairdistill.text.numbers import percentage

MUCH_BETTER = 0.05
"""Difference of the accuracies from which a model counts as one that memorizes."""

_IMAGES = 2000  # enough for a standard error of a point


def memorizes(search: Search) -> bool:
    """Return whether the deployed model memorizes, so that students should see changed images; note what was found.

    A network that is trained further from such weights has little to learn from images that it knows by heart, and its
    gap on others hardly moves. It is the same in later calls of the fix. Only asked with ``--augment auto``, and False
    without torchvision, which RandAugment needs.
    """
    work = search.work
    if work.options.augment != "auto" or importlib.util.find_spec("torchvision") is None:
        return False
    found: dict[str, float] | None = folder.plan_of(work.out).get("accuracies")
    if found is None:
        found = {
            "train": _accuracy(_on_some_training_images(search)),
            "validation": _accuracy(search.deployed.validation),
        }
        folder.update_plan(work.out, accuracies=found)
    if found["train"] - found["validation"] < MUCH_BETTER:
        return False
    search.notes.append(
        f"Your model is right on {percentage(found['train'])} of its training images and on "
        f"{percentage(found['validation'])} of the validation images, so most students are trained with RandAugment"
    )
    return True


def _on_some_training_images(search: Search) -> Predictions:
    work = search.work
    rows = torch.randperm(len(work.samples.train), generator=torch.Generator().manual_seed(0))[:_IMAGES]
    some = work.samples.train.subset(rows.sort().values)
    return predictions_of(work.deployed.model, some, where=work.deployed.source.path, runtime=work.runtime)


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.labels).mean())
