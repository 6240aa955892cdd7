"""What a loaded network can do beyond an ``nn.Module``: it knows its classes and images, and classifies pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import class_logits
from fairdistill.models.description.preprocessing import Picture, Preprocessing
from fairdistill.models.outputs import raw_outputs
from fairdistill.models.reading import OutputKind, logits_of_probabilities, reading_of

_BATCH = 64


@dataclass(frozen=True, eq=False)
class Classified:
    """What a network says of N images.

    Attributes:
        class_names: the names of the classes; their numbers, if the model's file does not name them.
        predicted: int64 ``[N]``, the most probable class of each image; for several yes/no attributes int64 ``[N, K]``,
            1 for yes.
        probabilities: float32 ``[N, C]``; for attributes, of yes.
    """

    class_names: tuple[str, ...]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each image's most probable class; for attributes, the names of those that it has."""
        if self.predicted.ndim == 2:
            said = ([name for name, yes in zip(self.class_names, row, strict=True) if yes] for row in self.predicted)
            return tuple(map(", ".join, said))
        return tuple(self.class_names[label] for label in self.predicted.tolist())

    def __len__(self) -> int:
        return len(self.predicted)


def equip(
    network: nn.Module,
    class_names: tuple[str, ...] | None,
    preprocessing: Preprocessing | None,
    *,
    multi_label: bool = False,
) -> None:
    """Give a network ``class_names``, ``transform`` and ``predict``, unless it has attributes of these names.

    They are plain attributes: modules, parameters, hooks and the weights that it saves stay as they are. With
    ``multi_label``, its outputs are yes/no attributes.
    """
    predict = partial(classify, network, multi_label=multi_label)
    own = {"class_names": class_names, "transform": preprocessing, "predict": predict}
    for name, value in own.items():
        if not hasattr(network, name):
            setattr(network, name, value)


def classify(
    network: nn.Module,
    images: Picture | Sequence[Picture],
    *,
    class_names: Sequence[str] | None = None,
    transform: Preprocessing | None = None,
    multi_label: bool = False,
) -> Classified:
    """Return what a network says of images, in eval mode and on its own device.

    Args:
        network: a network from :func:`fairdistill.load`.
        images: paths or Pillow images, or one of them.
        class_names: the names of its outputs in their order; default: those it was loaded with.
        transform: how images are prepared; default: as it was loaded.
        multi_label: whether its outputs are yes/no attributes, of which an image may have several.

    Raises:
        UsageError: if it does not know how its images are prepared, or its number of outputs differs from the names'.
        DataError: naming the file, if an image cannot be read.
    """
    prepared = transform or getattr(network, "transform", None)
    if not isinstance(prepared, Preprocessing):
        raise UsageError(
            "the model's file does not say how its images are prepared; prepare them yourself and call the network, or "
            "use fairdistill.predict with model_size, model_mean and model_std"
        )
    given = [images] if isinstance(images, str | Path | Image.Image) else list(images)
    if not given:
        raise UsageError("expected at least one image to predict")
    training = network.training
    network.eval()
    try:
        kind: OutputKind | None = None if multi_label else reading_of(network, size=prepared.recipe.size).kind
        parts = (prepared.batch(given[at : at + _BATCH]) for at in range(0, len(given), _BATCH))
        probabilities = torch.cat([_probabilities(network, part, kind) for part in parts])
    finally:
        network.train(training)
    names = class_names or getattr(network, "class_names", None) or map(str, range(probabilities.shape[1]))
    named = tuple(names)
    if len(named) != probabilities.shape[1]:
        raise UsageError(f"the network has {probabilities.shape[1]} outputs, but {len(named)} class names were given")
    shares = probabilities.cpu().numpy()
    if multi_label:
        return Classified(named, (shares >= 0.5).astype(np.int64), shares)
    return Classified(named, shares.argmax(axis=1).astype(np.int64), shares)


def _probabilities(network: nn.Module, images: Tensor, kind: OutputKind | None) -> Tensor:
    """Return the probability of each class; without a kind, of a yes for each attribute, of which it has the logit."""
    place = next(network.parameters(), images)
    with torch.no_grad():
        outputs = network(images.to(place.device))
    if kind is None:
        return raw_outputs(outputs).float().sigmoid()
    logits = logits_of_probabilities(raw_outputs(outputs)) if kind == "probabilities" else class_logits(outputs)
    return F.softmax(logits.float(), dim=1)
