"""Who comes into a batch. Every batch follows from the seed and the step alone, so that nothing need be saved."""

from __future__ import annotations

import warnings
from typing import Protocol

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.errors import DataError, UsageError
from fairdistill.system.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


class Sampler(Protocol):
    """Gives the rows of each step's batch."""

    @property
    def batch_size(self) -> int:
        """Rows in every batch."""
        ...

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which the data (the largest cell, when balanced) is seen once."""
        ...

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        ...


class Stream:
    """An endless sequence of the given rows, shuffled anew in every pass; no row is ever more than one ahead.

    Args:
        rows: int64 row numbers, at least one.
        seed: the run's seed.
        name: tells streams of one run apart.
    """

    def __init__(self, rows: Tensor, *, seed: int, name: str) -> None:
        self._rows = rows
        self._seed = seed
        self._name = name
        self._pass = -1
        self._order = rows

    def take(self, start: int, count: int) -> Tensor:
        """Return the rows at the positions ``start`` to ``start + count``."""
        parts = []
        while count > 0:
            passed, offset = divmod(start, len(self._rows))
            part = self._shuffled(passed)[offset : offset + count]
            parts.append(part)
            start += len(part)
            count -= len(part)
        return torch.cat(parts)

    def _shuffled(self, passed: int) -> Tensor:
        if passed != self._pass:
            draw = generator(self._seed, f"sampler/{self._name}", passed)
            self._order = self._rows[torch.randperm(len(self._rows), generator=draw)]
            self._pass = passed
        return self._order


class Shuffled:
    """Every row once a pass, in random order.

    Args:
        dataset: what to draw from.
        batch_size: rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper. Otherwise a batch goes on
            into the next pass.

    Raises:
        UsageError: with ``drop_last``, if there are fewer rows than a batch holds.
    """

    def __init__(self, dataset: GroupedDataset, *, batch_size: int, seed: int, drop_last: bool = False) -> None:
        n = len(dataset)
        if drop_last and n < batch_size:
            raise UsageError(
                f"{dataset.name} has {n} rows, fewer than one batch of {batch_size}; give a smaller --batch-size"
            )
        self.batch_size = batch_size
        self.steps_per_epoch = n // batch_size if drop_last else -(-n // batch_size)
        self._stride = n if drop_last else None
        self._stream = Stream(torch.arange(n), seed=seed, name="all")

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        if self._stride is None:
            return self._stream.take(step * self.batch_size, self.batch_size)
        epoch, position = divmod(step, self.steps_per_epoch)
        return self._stream.take(epoch * self._stride + position * self.batch_size, self.batch_size)


class Balanced:
    """The same number of rows from every (class, group) cell in every batch: the paper's strategic sampling.

    A batch holds ``batch_size // cells`` rows of each cell, exactly; 6 x 20 = 120 of 128 on CIFAR-10S. Small
    cells repeat, shuffled anew each time. If there are more cells than a batch has rows, cells take turns, and
    over any run of batches no cell comes more than once more than another. Rows of unknown group keep the share
    of a batch that they have of the data, beside the quotas. An epoch ends when the largest cell was seen once.

    Args:
        dataset: what to draw from.
        batch_size: at most this many rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper.
        strict_cells: whether an empty cell is an error instead of a warning.

    Raises:
        DataError: if a class or a group has no rows at all, or, with ``strict_cells``, a cell is empty.
        UsageError: if a batch is too small to hold rows of known and of unknown group.
    """

    def __init__(
        self,
        dataset: GroupedDataset,
        *,
        batch_size: int,
        seed: int,
        drop_last: bool = False,
        strict_cells: bool = False,
    ) -> None:
        check_cells(dataset, strict=strict_cells)
        cells = [
            (f"{label}/{group}", ((dataset.labels == label) & (dataset.groups == group)).nonzero().flatten())
            for label in range(dataset.num_classes)
            for group in range(dataset.num_groups)
        ]
        cells = [(name, rows) for name, rows in cells if len(rows)]
        unknown = (dataset.groups == UNKNOWN_GROUP).nonzero().flatten()
        self._unknown = Stream(unknown, seed=seed, name="unknown") if len(unknown) else None
        if batch_size < 1 + bool(len(unknown)):
            raise UsageError(f"a batch of {batch_size} is too small for balanced cells; give a larger --batch-size")
        self._cells = [Stream(rows, seed=seed, name=name) for name, rows in cells]
        known = len(dataset) - len(unknown)
        slots = batch_size if not len(unknown) else max(1, batch_size * known // len(dataset))
        self._quota = slots // len(cells)
        self._slots = self._quota * len(cells) if self._quota else slots
        share = round(self._slots * len(unknown) / known)
        self._unknown_quota = min(max(1, share), batch_size - self._slots) if len(unknown) else 0
        self.batch_size = self._slots + self._unknown_quota
        largest = max(len(rows) for _, rows in cells)
        rows = largest * len(cells)
        self.steps_per_epoch = max(1, rows // self._slots) if drop_last else -(-rows // self._slots)

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        if self._quota:
            parts = [cell.take(step * self._quota, self._quota) for cell in self._cells]
        else:
            parts = []
            for slot in range(step * self._slots, (step + 1) * self._slots):
                turn, cell = divmod(slot, len(self._cells))
                parts.append(self._cells[cell].take(turn, 1))
        if self._unknown is not None:
            parts.append(self._unknown.take(step * self._unknown_quota, self._unknown_quota))
        return torch.cat(parts)


def check_cells(dataset: GroupedDataset, *, strict: bool = False) -> None:
    """Name the empty cells of a training set: a warning, or with ``strict`` an error.

    Raises:
        DataError: if a class has no rows, or a group has none, or with ``strict`` a cell is empty.
    """
    counts = dataset.cell_counts()
    of_class = torch.bincount(dataset.labels, minlength=dataset.num_classes)
    for what, sizes, names in (
        ("class", of_class, dataset.class_names),
        ("group", counts.sum(0), dataset.group_names),
    ):
        absent = [names[i] for i in (sizes == 0).nonzero().flatten().tolist()]
        if absent:
            raise DataError(
                f"{dataset.name} has no row of {what} {', '.join(map(repr, absent))}; "
                f"add some, or leave that {what} out of the data"
            )
    empty = dataset.empty_cells()
    if empty:
        text = f"{dataset.name} has empty (class, group) cells: {', '.join(empty)}; nothing can be learned about them"
        if strict:
            raise DataError(text)
        warnings.warn(text, stacklevel=2)
