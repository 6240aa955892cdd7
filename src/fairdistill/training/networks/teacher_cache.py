"""The teacher's features of a batch: from a forward pass, or from the feature store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairdistill.caching import Stored
from fairdistill.data import Pipeline
from fairdistill.models import Teacher
from fairdistill.system.runtime import Runtime
from fairdistill.types import Batch, Draws, TapName, Taps


@dataclass(frozen=True)
class LiveTeacher:
    """Runs the teacher on every batch.

    Attributes:
        teacher: the frozen teacher.
        runtime: device and precision.
        taps: the features to return.
        pipeline: prepares the teacher's images, if they differ from the student's: the same crops and
            changes of the same images, at the teacher's size, mean and standard deviation.
        plain: whether its images are only flipped as the student's, without crops and other changes.
    """

    teacher: Teacher
    runtime: Runtime
    taps: frozenset[TapName]
    pipeline: Pipeline | None = None
    plain: bool = False

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        images = batch.images
        if self.pipeline is not None:
            draws = Draws(state=batch.state) if self.plain else batch.draws
            images = self.pipeline.images(batch.index, draws)
        with self.runtime.autocast():
            features = self.teacher(images)
        return {name: features[name] for name in self.taps}


@dataclass(frozen=True)
class CachedTeacher:
    """Looks up the teacher's features.

    Attributes:
        features: by name.
    """

    features: Mapping[TapName, Stored]

    def __call__(self, batch: Batch) -> Taps:
        """Return the features of a batch."""
        return {name: stored.at(batch.index, batch.state) for name, stored in self.features.items()}
