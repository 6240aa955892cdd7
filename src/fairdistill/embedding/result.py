"""What ``embed`` finds, as typed values; ``embedding.json`` is :meth:`EmbedResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairdistill.contract import Result
from fairdistill.embedding.options import EmbedOptions
from fairdistill.metrics.leakage import Leakage
from fairdistill.types import TapName

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class EmbeddedImages(Result):
    """The images in the plot: one entry per point.

    Attributes:
        ids: names of the images.
        labels: indices of their classes.
        groups: indices of their groups.
        pred: indices of the classes that the student predicted.
    """

    ids: tuple[str, ...]
    labels: tuple[int, ...]
    groups: tuple[int, ...]
    pred: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class EmbeddedNetwork(Result):
    """The features of one network.

    Attributes:
        coordinates: of each point in the plot.
        kl_divergence: the quantity that t-SNE minimizes, in nats.
        leakage: how well a linear model reads the group from the features, over the whole test set.
    """

    coordinates: tuple[tuple[float, ...], ...]
    kl_divergence: float
    leakage: Leakage


@dataclass(frozen=True, kw_only=True)
class EmbedResult(Result):
    """A t-SNE plot of a run's features, and how much they reveal about the group.

    Attributes:
        format_version: of the JSON.
        settings: the options, with the perplexity and the device that were used.
        tap: which feature is shown.
        n: number of points.
        per_cell: points per subgroup, ``[C][G]``.
        notes: what a reader should know.
        made_with: versions by package.
        class_names: one name per class.
        group_names: one name per group.
        rows: the images in the plot.
        student: its features.
        teacher: its features; None if there was no teacher or it is no longer available.
    """

    format_version: int = FORMAT_VERSION
    settings: EmbedOptions
    tap: TapName
    n: int
    per_cell: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]
    made_with: Mapping[str, str]
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    rows: EmbeddedImages
    student: EmbeddedNetwork
    teacher: EmbeddedNetwork | None

    @property
    def networks(self) -> dict[str, EmbeddedNetwork]:
        """The student and, if there is one, the teacher, by name."""
        return {"student": self.student} | ({} if self.teacher is None else {"teacher": self.teacher})
