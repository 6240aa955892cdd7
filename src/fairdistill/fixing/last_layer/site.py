"""Where a network can be changed: its last layer, and the features that the layer sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.work import Work
from fairdistill.heads import Head, HeadData
from fairdistill.models import find_last_layer
from fairdistill.models.last_layer.layer import LastLayer
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.features import features_of
from fairdistill.predictions.trained.model import DeployedModel
from fairdistill.text.telling import tell

_IMAGES = 16  # on which the last layer is verified


@dataclass(frozen=True)
class Site:
    """Where a network can be changed.

    Attributes:
        layer: its last layer.
        head: that layer's weights, in the order of the classes.
        validation: the features of the validation set.
        logits: the network's own there, float ``[N, C]``.
    """

    layer: LastLayer
    head: Head
    validation: HeadData
    logits: Tensor


def site_of(work: Work, model: DeployedModel, *, name: str | None = None) -> Site:
    """Return where a network can be changed, after one pass over the validation images.

    Args:
        work: the working data of the fix.
        model: the network and the preprocessing it expects.
        name: of its last layer, if the user gave one.

    Raises:
        LastLayerError: if it has no linear last layer.
    """
    layer = find_last_layer(model.network, work.some_images(model.recipe, _IMAGES), name=name)
    found = head_data(work, model, layer, work.samples.validation)
    head = Head(layer.weight, layer.bias, layer.has_bias)
    return Site(layer, head, found, head.logits(found.features))


def head_data(work: Work, model: DeployedModel, layer: LastLayer, data: GroupedDataset) -> HeadData:
    """Return the features of a part of the data, from the cache as far as they are there."""
    features = features_of(model, layer, data, folder=work.out / folder.CACHE, runtime=work.runtime, progress=tell)
    sources = torch.from_numpy(data.sources)
    return HeadData(features, data.labels, data.groups, sources, data.num_classes, data.num_groups)


def with_logits(predictions: Predictions, logits: Tensor) -> Predictions:
    """Return predictions of other logits ``[N, C]`` for the same samples."""
    probabilities = logits.double().softmax(1).numpy()
    return replace(predictions, predicted=probabilities.argmax(1), probabilities=probabilities)
