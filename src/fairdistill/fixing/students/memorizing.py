"""Whether students should see training images changed by RandAugment, since the deployed model knows them by heart."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import torch

from fairdistill.data import Pipeline
from fairdistill.data.recipe import Augmenting
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.work import Work
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.model import predictions_of
from fairdistill.text.numbers import percentage

MUCH_BETTER = 0.05
"""Difference of the accuracies on training and validation images from which a model counts as one that memorizes."""

_IMAGES = 2000  # enough for a standard error of a point
_MOST = 0.75  # of a forward pass, which is a quarter of a step: a backward pass takes as long as two forward passes
_TIMED = 3


def wants_changed_images(search: Search) -> bool:
    """Return whether most students should be trained with RandAugment; note why. The answer is kept in the plan.

    They should if the deployed model memorizes: a network that is trained further from its weights has little to learn
    from images that it knows by heart, and its gap on others hardly moves. But where the network is so small that
    RandAugment makes a step more than a quarter longer, the standard images stay.

    Only asked with ``--augment auto``, and False without torchvision, which RandAugment needs.
    """
    work = search.work
    if work.options.augment != "auto" or importlib.util.find_spec("torchvision") is None:
        return False
    plan = folder.plan_of(work.out)
    if "memorized" not in plan:
        on_train = _accuracy(_on_some_training_images(work))
        memorized = on_train - _accuracy(search.deployed.validation) >= MUCH_BETTER
        plan["memorized"] = on_train if memorized and _is_quick(work) else None
        folder.update_plan(work.out, memorized=plan["memorized"])
    if plan["memorized"] is None:
        return False
    search.notes.append(
        f"Your model is right on {percentage(plan['memorized'])} of its training images and on "
        f"{percentage(_accuracy(search.deployed.validation))} of the validation images, so most students are trained "
        "with RandAugment"
    )
    return True


def _on_some_training_images(work: Work) -> Predictions:
    some = work.samples.train.subset(_some_rows(work, _IMAGES))
    return predictions_of(work.deployed.model, some, where=work.deployed.source.path, runtime=work.runtime)


def _is_quick(work: Work) -> bool:
    """Return whether RandAugment of a batch makes a training step at most a quarter longer."""
    rows = _some_rows(work, work.options.batch_size)
    changing = Pipeline(work.samples.train, device=work.runtime.device, seed=0, augmenting=Augmenting(policy="randaug"))
    unchanged = Pipeline(work.samples.train, device=work.runtime.device, seed=0, recipe=work.deployed.model.recipe)
    network = work.deployed.model.network

    def change(step: int) -> None:
        changing.train_batch(rows, step=step).images.sum().item()

    @torch.no_grad()
    def forward(step: int) -> None:
        with work.runtime.autocast():
            network(unchanged.train_batch(rows, step=step).images).sum().item()

    return _seconds(change) <= _MOST * _seconds(forward)


def _seconds(once: Callable[[int], None]) -> float:
    """Return the shortest time of a few calls; the first also imports and compiles."""
    times = []
    for step in range(_TIMED):
        started = time.perf_counter()
        once(step)
        times.append(time.perf_counter() - started)
    return min(times)


def _some_rows(work: Work, count: int) -> torch.Tensor:
    drawn = torch.randperm(len(work.samples.train), generator=torch.Generator().manual_seed(0))[:count]
    return drawn.sort().values


def _accuracy(predictions: Predictions) -> float:
    return float(predictions.correct.mean())
