"""The contents of a table, a folder or file names: one image file per row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.attributes import Attributes
from fairdistill.data.images.sources import Source

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
NO_SPLIT = -1

Whole = Literal["unsplit", "always"] | None
"""Whether all rows of a user's own data become one test set: always, or if they are not split; None: never."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The contents of a table, a folder or file names: one image file per row.

    Attributes:
        names: names of the files in their source, object ``[N]``.
        labels: classes, int64 ``[N]``.
        groups: groups, int64 ``[N]``, -1 where unknown.
        splits: 0 train, 1 val, 2 test, int64 ``[N]``; all -1 if no split is given.
        class_names: one name per class.
        group_names: one name per group.
        sources: the person or picture behind each row, object ``[N]`` texts, empty where unknown; None if not given.
        notes: remarks made while reading, one sentence each.
        source: where the files are, if not in the folder that was given.
        attributes: what the classes say of several yes/no attributes, if that is what they are.
    """

    names: NDArray[np.object_]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    splits: NDArray[np.int64]
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    sources: NDArray[np.object_] | None = None
    notes: tuple[str, ...] = ()
    source: Source | None = None
    attributes: Attributes | None = None

    def take(self, rows: NDArray[Any]) -> Rows:
        """Return some rows, by a mask or by indices."""
        return replace(
            self,
            names=self.names[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            splits=self.splits[rows],
            sources=None if self.sources is None else self.sources[rows],
        )
