"""The result of ``predict``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import Result, key
from fairdistill.predictions.model_reading import ModelReading


@dataclass(frozen=True, kw_only=True)
class PredictedClass(Result):
    """How often a class, or the yes of an attribute, was predicted."""

    class_name: str = key("class")
    images: int


@dataclass(frozen=True, kw_only=True)
class SkippedImage(Result):
    """An image that cannot be decoded."""

    image: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictResult(Result):
    """What a model says of images.

    Attributes:
        where: the model.
        images: the folder or the table.
        rows: the number of images that were predicted.
        attributes: whether the classes are yes/no attributes, of which an image may have several.
        classes: how often each class was predicted, in the order of the columns of ``probabilities``.
        skipped: the images that cannot be decoded.
        runtime: the device and the precision.
        seconds: the time from the first image to the last.
        model: how the model was read.
        notes: what a reader should know, one sentence each.
        out: the table that was written, if any.
        ids: object ``[N]``, a name for each image; not in the JSON, and neither are the following.
        predicted: int64 ``[N]``, the most probable class of each image; for attributes ``[N, C]``, 1 for yes, 0 for no.
        probabilities: float64 ``[N, C]``; for attributes of a yes.
    """

    where: str
    images: str
    rows: int
    attributes: bool
    classes: tuple[PredictedClass, ...]
    skipped: tuple[SkippedImage, ...]
    runtime: str
    seconds: float
    model: ModelReading
    notes: tuple[str, ...]
    out: str | None
    ids: NDArray[np.object_] = key(written=False)
    predicted: NDArray[np.int64] = key(written=False)
    probabilities: NDArray[Any] = key(written=False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(each.class_name for each in self.classes)
