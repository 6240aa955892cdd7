"""The features that a model's last layer reads, for every image of a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from fairdistill.caching import Feature, FeatureStore, base_key, place_key
from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import LastLayerError, TeacherError
from fairdistill.models import TapPoint
from fairdistill.models.last_layer.layer import LastLayer, layer_features
from fairdistill.models.layout import to_device
from fairdistill.predictions.trained.model import DeployedModel
from fairdistill.system.runtime import Runtime

_WIDEST = 16_384
_CHECKED = 4_096


def features_of(
    model: DeployedModel,
    layer: LastLayer,
    data: GroupedDataset,
    *,
    folder: Path,
    runtime: Runtime,
    memory: int = 2 * 2**30,
    progress: Callable[[str], None],
) -> Tensor:
    """Return the features that a model's last layer reads of each image, without augmentation.

    They are computed once and kept in ``folder``, in the same files as a teacher cache that reads the same place.

    Args:
        model: the model.
        layer: its last layer.
        data: the images.
        folder: the folder of the feature store.
        runtime: where the model runs, and the precision.
        memory: keep the features in memory up to this many bytes; memory-map them otherwise.
        progress: called with a message about what is computed.

    Returns:
        ``[N, D]`` on the CPU, in the precision of ``runtime``, in the order of the data's rows.

    Raises:
        LastLayerError: if there are too many features for a head to be fitted to them.
        TeacherError: if a feature is not finite.
        UsageError: if the folder cannot be written, or its disk is full.
    """
    width = layer.weight.shape[1]
    if width > _WIDEST:
        size = len(data) * width * runtime.dtype.itemsize / 2**20
        raise LastLayerError(
            f"the last layer {layer.name} reads {width:,} features, {size:,.0f} MiB for the {len(data):,} images of "
            f"{data.name}; heads are fitted to at most {_WIDEST:,}"
        )
    network = model.network.eval()
    to_device(network, runtime.device)
    place = place_key(TapPoint(layer.name, "input", call=0), model.outputs)
    store = FeatureStore(
        folder,
        key=base_key(model.computes, data.digest(), model.recipe, runtime),
        features={"features": Feature(f"{place}, mean over space" if layer.pooled else place, (width,))},
        rows=len(data),
        states=1,
        dtype=runtime.dtype,
        what=f"features of {data.name}",
    )
    pipeline = Pipeline(data, device=runtime.device, seed=0, recipe=model.recipe)
    found = store.load(
        lambda images: {"features": layer_features(network, layer, images)},
        pipeline, runtime, memory=memory, progress=progress, device=torch.device("cpu"),
    )["features"].of_state(0)  # fmt: skip
    _check_finite(found, data)
    return found


def _check_finite(features: Tensor, data: GroupedDataset) -> None:
    """Raise a TeacherError that names the first image with a feature that is not finite."""
    for start, part in enumerate(features.split(_CHECKED)):
        wrong = (~part.isfinite()).any(1).nonzero().flatten().tolist()
        if wrong:
            first = data.ids[start * _CHECKED + wrong[0]]
            raise TeacherError(
                f"the model's features are not finite for {first} of {data.name}; check its weights and the mean and "
                "sd of its input"
            )
