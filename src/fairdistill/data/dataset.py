"""The form that every data set takes: uint8 images, each with a class, a group, an id and a source."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.attributes import Attributes
from fairdistill.data.images.reading import ImageFiles
from fairdistill.data.recipe import Recipe
from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import Design
from fairdistill.types import UNKNOWN_GROUP


@dataclass(frozen=True, kw_only=True)
class GroupedDataset:
    """Images, each with a class and a group.

    Attributes:
        name: the data set's name and split, for messages: ``"cifar10s/train"``.
        images: uint8 ``[N, 3, H, W]`` on the CPU, or image files.
        labels: ``[N]`` int64 in ``[0, num_classes)``.
        groups: ``[N]`` int64 in ``[0, num_groups)``, -1 where unknown.
        ids: ``N`` names, stable across seeds and machines and unique within the data set.
        source_ids: ``N`` names; rows made from the same image or showing the same person share one.
        class_names: one name per class.
        group_names: one name per group.
        recipe: how the images are preprocessed.
        notes: what a user should know about the data, one sentence each.
        skipped: broken files that were skipped, each with the reason.
        design: how the images were sampled: at random, or as many of each subgroup as planned.
        attributes: what the classes say of several yes/no attributes, if that is what they are.

    Example:
        >>> import fairdistill
        >>> digits = fairdistill.data.load("digits-s", "test")
        >>> image, label, group, index = digits[3]
        >>> tuple(image.shape), image.dtype, digits.num_classes, digits.num_groups
        ((3, 16, 16), torch.uint8, 10, 2)
    """

    name: str
    images: Tensor | ImageFiles
    labels: Tensor
    groups: Tensor
    ids: tuple[str, ...]
    source_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    recipe: Recipe
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    design: Design = "random"
    attributes: Attributes | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        lengths = {
            "labels": len(self.labels),
            "groups": len(self.groups),
            "ids": len(self.ids),
            "source_ids": len(self.source_ids),
        }
        for field, length in lengths.items():
            if length != n:
                raise DataError(f"{self.name}: expected {n} {field}, one for each image, but got {length}")
        if isinstance(self.images, Tensor) and self.images.dtype != torch.uint8:
            raise DataError(f"{self.name}: expected uint8 images, but got {self.images.dtype}")
        for field, values, low, names in (
            ("label", self.labels, 0, self.class_names),
            ("group", self.groups, UNKNOWN_GROUP, self.group_names),
        ):
            if values.dtype != torch.int64:
                raise DataError(f"{self.name}: expected int64 {field}s, but got {values.dtype}")
            outside = ((values < low) | (values >= len(names))).nonzero().flatten()
            if len(outside):
                row = int(outside[0])
                raise DataError(
                    f"{self.name}: row {row} ({self.ids[row]}) has {field} {int(values[row])}, "
                    f"expected a value from {low} to {len(names) - 1}"
                )

    @property
    def sources(self) -> NDArray[np.int64]:
        """The number of each row's source, int64 ``[N]``."""
        return np.unique(self.source_ids, return_inverse=True)[1].astype(np.int64)

    @classmethod
    def unlabelled(
        cls, name: str, images: Tensor | ImageFiles, *, class_names: tuple[str, ...], recipe: Recipe
    ) -> GroupedDataset:
        """Return images to run a model on, whose classes and groups are unknown: every label is 0."""
        ids = tuple(map(str, range(len(images))))
        return cls(
            name=name,
            images=images,
            labels=torch.zeros(len(images), dtype=torch.int64),
            groups=torch.full((len(images),), UNKNOWN_GROUP),
            ids=ids,
            source_ids=ids,
            class_names=class_names,
            group_names=(),
            recipe=recipe,
        )

    def __repr__(self) -> str:
        sizes = f"{len(self):,} images, {self.num_classes} classes, {self.num_groups} groups"
        return f"GroupedDataset({self.name!r}: {sizes})"

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int, int]:
        """Return ``(image uint8 [3, H, W], label, group, index)``; a file is decoded as the recipe says."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} is out of range: {self.name} has {len(self)} rows")
        index %= len(self)
        images = self.images
        image = images.one(index, self.recipe.view) if isinstance(images, ImageFiles) else images[index]
        return image, int(self.labels[index]), int(self.groups[index]), index

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """Number of outputs of a network: one for each class, or for each of several attributes."""
        return self.num_classes if self.attributes is None else len(self.attributes.names)

    @property
    def num_groups(self) -> int:
        """Number of groups, not counting unknown ones."""
        return len(self.group_names)

    @property
    def num_unknown_groups(self) -> int:
        """Number of rows whose group is unknown."""
        return int((self.groups == UNKNOWN_GROUP).sum())

    def cell_counts(self) -> Tensor:
        """Return the number of rows in each subgroup, int64 ``[num_classes, num_groups]``."""
        known = self.groups != UNKNOWN_GROUP
        cells = self.labels[known] * self.num_groups + self.groups[known]
        return torch.bincount(cells, minlength=self.num_classes * self.num_groups).view(
            self.num_classes, self.num_groups
        )

    def empty_cells(self) -> list[str]:
        """Return the names of the subgroups without rows, for example ``(yes, women)``."""
        return [
            f"({self.class_names[label]}, {self.group_names[group]})"
            for label, group in (self.cell_counts() == 0).nonzero().tolist()
        ]

    def require_cells(self, why: str) -> None:
        """Raise a DataError that names every empty subgroup; ``why`` says what is impossible without them."""
        empty = self.empty_cells()
        if empty:
            raise DataError(
                f"{self.name} has no samples of {', '.join(empty)}, so {why}; label more samples, or merge groups that "
                "are too small"
            )

    def check_cells(self, *, strict: bool = False) -> None:
        """Warn about the empty subgroups of a training set, or with ``strict`` raise an error.

        Raises:
            DataError: if a class or a group has no samples, or with ``strict`` if a subgroup is empty.
        """
        of_class = torch.bincount(self.labels, minlength=self.num_classes)
        for what, sizes, names in (
            ("class", of_class, self.class_names),
            ("group", self.cell_counts().sum(0), self.group_names),
        ):
            absent = [names[i] for i in (sizes == 0).nonzero().flatten().tolist()]
            if absent:
                raise DataError(
                    f"{self.name} has no samples of {what} {', '.join(map(repr, absent))}; "
                    f"add some, or remove that {what} from the data"
                )
        empty = self.empty_cells()
        if empty:
            text = (
                f"{self.name} has empty subgroups (class, group): {', '.join(empty)}; nothing can be learned about them"
            )
            if strict:
                raise DataError(text)
            warnings.warn(text, stacklevel=2)

    def require_one_label(self, why: str) -> None:
        """Raise a UsageError if there are several attributes; ``why`` says what takes only one."""
        if self.attributes is not None:
            first, *_ = self.attributes.names
            raise UsageError(
                f"{why}, but {self.name} has several attributes: {', '.join(self.attributes.names)}; name one, for "
                f"example --label {first} (train, audit and predict take several)"
            )

    def of_attributes(self) -> tuple[GroupedDataset, ...]:
        """Return a data set for each attribute, with its two answers as classes, no first; this one without any.

        Rows without an answer are not in that of the attribute.
        """
        if self.attributes is None:
            return (self,)
        pairs = zip(self.answers().unbind(1), self.attributes.answers, strict=True)
        return tuple(self._of_attribute(labels, pair) for labels, pair in pairs)

    def _of_attribute(self, labels: Tensor, pair: tuple[str, str]) -> GroupedDataset:
        known = labels >= 0
        rows = self if bool(known.all()) else self.subset(known.nonzero().flatten())
        return replace(rows, labels=labels[known], class_names=pair, attributes=None)

    def answers(self) -> Tensor:
        """Return the answers to each attribute, int64 ``[N, K]``: 1 for yes, 0 for no, -1 for none.

        Without attributes they are the labels, ``[N, 1]``.
        """
        if self.attributes is None:
            return self.labels.unsqueeze(1)
        return torch.from_numpy(self.attributes.yes)[self.labels]

    def of_outputs(self) -> GroupedDataset:
        """Return the same images with a class for each output of a network: the attributes, if there are several.

        The labels then mean nothing.
        """
        return self if self.attributes is None else self.with_outputs(self.attributes.names)

    def with_outputs(self, names: tuple[str, ...]) -> GroupedDataset:
        """Return the same images with a class for each of these outputs of a network; the labels then mean nothing."""
        return replace(self, labels=torch.zeros_like(self.labels), class_names=names, attributes=None)

    def subset(self, rows: Tensor, *, name: str | None = None) -> GroupedDataset:
        """Return a data set of only these rows (int64 indices), in this order."""
        at = rows.numpy()
        return replace(
            self,
            name=name or self.name,
            images=self.images[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
            ids=tuple(np.array(self.ids, object)[at].tolist()),
            source_ids=tuple(np.array(self.source_ids, object)[at].tolist()),
        )

    def digest(self) -> str:
        """Return a hash of everything except the split's name and the recipe; equal data have equal digests."""
        state = hashlib.blake2b(digest_size=16)
        if isinstance(self.images, ImageFiles):
            state.update(self.images.digest())
        for values in (self.images, self.labels, self.groups):
            if isinstance(values, Tensor):
                state.update(str(tuple(values.shape)).encode())
                state.update(values.contiguous().numpy().data)
        names = (self.ids, self.source_ids, self.class_names, self.group_names)
        state.update(json.dumps(names).encode())
        if self.attributes is not None:
            state.update(json.dumps((self.attributes.names, self.attributes.answers)).encode())
        return state.hexdigest()
