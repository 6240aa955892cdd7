"""The teacher's features of a batch: from a forward pass, or from the feature store."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.caching import Stored
from fairdistill.data import Pipeline
from fairdistill.models import Teacher
from fairdistill.system.runtime import Runtime
from fairdistill.types import Batch, Draws, TapName, Taps


class LiveTeacher:
    """Runs the teacher on every batch.

    Args:
        teacher: the frozen teacher.
        runtime: device and precision.
        taps: the features to return.
        pipeline: prepares the teacher's images, if they differ from the student's: the same crops and
            changes of the same images, at the teacher's size, mean and standard deviation.
        plain: whether its images are only flipped as the student's, without crops and other changes.
    """

    def __init__(
        self,
        teacher: Teacher,
        runtime: Runtime,
        taps: frozenset[TapName],
        *,
        pipeline: Pipeline | None = None,
        plain: bool = False,
    ) -> None:
        self._teacher = teacher
        self._runtime = runtime
        self._taps = taps
        self._pipeline = pipeline
        self._plain = plain

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        images = batch.images
        if self._pipeline is not None:
            draws = Draws(state=batch.state) if self._plain else batch.draws
            images = self._pipeline.images(batch.index, draws)
        with self._runtime.autocast():
            features = self._teacher(images)
        return {name: features[name] for name in self._taps}


class CachedTeacher:
    """Looks up the teacher's features.

    Args:
        features: by name.
    """

    def __init__(self, features: Mapping[TapName, Stored]) -> None:
        self._features = features

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        return {name: stored.at(batch.index, batch.state) for name, stored in self._features.items()}
