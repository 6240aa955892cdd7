"""A classifier of the group, trained on the images whose group is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import DataError
from fairdistill.models import build, class_logits
from fairdistill.models.layout import settle_layout
from fairdistill.models.reading import reading_of
from fairdistill.predictions.trained.evaluation import logits_of
from fairdistill.samplers import Stream
from fairdistill.system.eager import Adam
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime
from fairdistill.types import UNKNOWN_GROUP

_PASSES = 20  # over the images of known group
_FEWEST_STEPS = 300
_EVALUATIONS = 20
_LR = 1e-3


@dataclass(frozen=True, kw_only=True)
class GroupClassifier:
    """The classifier that predicts group labels.

    Attributes:
        network: its name, as for ``--model``.
        batch_size: images per batch, at most.
        seed: of the weights, batches and augmentation.
    """

    network: str
    batch_size: int
    seed: int


def train_group_classifier(
    train: GroupedDataset, validation: Pipeline, classifier: GroupClassifier, *, runtime: Runtime
) -> nn.Module:
    """Return a network trained to predict the group, in evaluation mode, with the best weights that it had.

    Adam at 1e-3 for 20 passes over the labelled images, at least 300 steps, every group weighted equally; the weights
    with the lowest validation loss are kept.

    Args:
        train: the training set; images of unknown group are not used.
        validation: images of known group that choose the weights.
        classifier: the network and how it is trained.
        runtime: device and precision.

    Raises:
        DataError: if a group has no training image.
    """
    seed = classifier.seed
    known = (train.groups != UNKNOWN_GROUP).nonzero().flatten()
    sizes = torch.bincount(train.groups[known], minlength=train.num_groups)
    for group in (sizes == 0).nonzero().flatten().tolist():
        raise DataError(f"no image of {train.name} is labelled with the group {train.group_names[group]!r}; label some")
    network = _untrained(train, classifier, device=runtime.device)
    pipeline = Pipeline(train, device=runtime.device, seed=derived_seed(seed, "pseudo groups"))
    weight = (len(known) / (train.num_groups * sizes)).to(runtime.device)
    rows, size = Stream(known, seed=seed, name="pseudo groups"), min(classifier.batch_size, len(known))
    steps = max(_FEWEST_STEPS, _PASSES * -(-len(known) // size))
    optimizer = Adam(network.parameters(), lr=_LR)
    best_loss, best = float("inf"), network.state_dict()
    for step in range(steps):
        batch = pipeline.train_batch(rows.take(step * size, size), step=step)
        network.train()
        optimizer.zero_grad(set_to_none=True)
        with runtime.autocast():
            logits = class_logits(network(batch.images)).float()
        F.cross_entropy(logits, batch.groups, weight=weight).backward()
        optimizer.step()
        if (step + 1) % -(-steps // _EVALUATIONS) == 0 or step + 1 == steps:
            network.eval()
            logits = logits_of(network, validation, runtime.autocast)
            loss = float(F.cross_entropy(logits, validation.groups, weight=weight))
            if loss < best_loss:
                best_loss = loss
                best = {name: value.detach().clone() for name, value in network.state_dict().items()}
    network.load_state_dict(best)
    return network.eval()


def _untrained(train: GroupedDataset, classifier: GroupClassifier, *, device: torch.device) -> nn.Module:
    torch.manual_seed(derived_seed(classifier.seed, "pseudo groups/weights"))
    size = train.recipe.size
    network = build(classifier.network, train.num_groups, image_size=size)
    settle_layout(network.eval(), torch.zeros(2, 3, size, size, device=device))
    reading_of(network, size=size).attach(network)
    return network
