"""Samplers. Every batch follows from the seed and the step alone, so a checkpoint need not save any state."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.utils import data

from fairdistill.data import GroupedDataset
from fairdistill.errors import DataError, UsageError
from fairdistill.system.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


class Sampler(Protocol):
    """Returns the rows of each step's batch."""

    @property
    def batch_size(self) -> int:
        """Number of rows in every batch."""
        ...

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps in which the data (when balanced: the largest subgroup) is seen once."""
        ...

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        ...

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before, int64 on the CPU."""
        ...


class Stream:
    """An endless sequence of rows, reshuffled on every pass, so that no row is ever more than one pass ahead.

    Args:
        rows: int64 row numbers, at least one.
        seed: the run's seed.
        name: distinguishes the streams of a run.
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

    def __len__(self) -> int:
        """Return the number of rows in a pass."""
        return len(self._rows)

    def _shuffled(self, passed: int) -> Tensor:
        if passed != self._pass:
            draw = generator(self._seed, f"sampler/{self._name}", passed)
            self._order = self._rows[torch.randperm(len(self._rows), generator=draw)]
            self._pass = passed
        return self._order


class Shuffled:
    """Every row once per pass, in random order.

    Args:
        dataset: the data set to draw from.
        batch_size: number of rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper. Otherwise a batch
            continues into the next pass.

    Raises:
        UsageError: with ``drop_last``, if there are fewer rows than one batch.
    """

    def __init__(self, dataset: GroupedDataset, *, batch_size: int, seed: int, drop_last: bool = False) -> None:
        n = len(dataset)
        if drop_last and n < batch_size:
            raise UsageError(
                f"{dataset.name} has {n} samples, fewer than one batch of {batch_size}; use --protocol honest, whose "
                "batches go on in the next pass, or a smaller --batch-size"
            )
        self.batch_size = batch_size
        self.steps_per_epoch = n // batch_size if drop_last else -(-n // batch_size)
        self._stride = n if drop_last else None
        self._stream = Stream(torch.arange(n), seed=seed, name="all")

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        return self._stream.take(self._start(step), self.batch_size)

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before, int64 on the CPU.

        With ``drop_last``, a row counts as drawn in an epoch that ended before it.
        """
        start = self._start(step)
        return torch.arange(start, start + self.batch_size) // len(self._stream)

    def _start(self, step: int) -> int:
        if self._stride is None:
            return step * self.batch_size
        epoch, position = divmod(step, self.steps_per_epoch)
        return epoch * self._stride + position * self.batch_size


class BalancedRows:
    """The same number of rows of every subgroup (one class of one group) in every batch.

    A batch holds ``batch_size // subgroups`` rows of each subgroup, exactly; 6 x 20 = 120 of 128 on CIFAR-10S. Small
    subgroups repeat, reshuffled on every pass. If there are more subgroups than a batch has rows, they take turns, and
    over any run of batches no subgroup is drawn more than once more often than another. Rows of unknown group keep
    their share of the data, in addition to the quotas. An epoch ends when the largest subgroup has been seen once.

    Args:
        labels: int64 ``[N]`` classes.
        groups: int64 ``[N]`` groups, -1 where unknown.
        batch_size: maximum number of rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper.

    Raises:
        UsageError: if a batch is too small to hold rows of known and of unknown group.
    """

    def __init__(self, labels: Tensor, groups: Tensor, *, batch_size: int, seed: int, drop_last: bool = False) -> None:
        unknown = (groups == UNKNOWN_GROUP).nonzero().flatten()
        if batch_size < 1 + bool(len(unknown)):
            raise UsageError(
                f"a batch of {batch_size} is too small to be balanced over subgroups; use a larger --batch-size"
            )
        cells = _rows_by_cell(labels, groups)
        self._unknown = Stream(unknown, seed=seed, name="unknown") if len(unknown) else None
        self._cells = [Stream(rows, seed=seed, name=name) for name, rows in cells.items()]
        known = len(labels) - len(unknown)
        slots = batch_size if not len(unknown) else max(1, batch_size * known // len(labels))
        self._quota = slots // len(cells)
        self._slots = self._quota * len(cells) if self._quota else slots
        share = round(self._slots * len(unknown) / known)
        self._unknown_quota = min(max(1, share), batch_size - self._slots) if len(unknown) else 0
        self.batch_size = self._slots + self._unknown_quota
        rows = max(map(len, cells.values())) * len(cells)
        self.steps_per_epoch = max(1, rows // self._slots) if drop_last else -(-rows // self._slots)

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        return torch.cat([stream.take(start, count) for stream, start, count in self._parts(step)])

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before, int64 on the CPU."""
        parts = list(self._parts(step))
        counts = torch.tensor([count for _, _, count in parts])
        lead = torch.tensor([start for _, start, _ in parts]) - (counts.cumsum(0) - counts)  # of its place in the batch
        sizes = torch.tensor([len(stream) for stream, _, _ in parts])
        return (torch.arange(self.batch_size) + lead.repeat_interleave(counts)) // sizes.repeat_interleave(counts)

    def _parts(self, step: int) -> Iterator[tuple[Stream, int, int]]:
        """Yield the streams that a batch consists of, each with the first position and the number of rows."""
        if self._quota:
            for cell in self._cells:
                yield cell, step * self._quota, self._quota
        else:
            for slot in range(step * self._slots, (step + 1) * self._slots):
                turn, number = divmod(slot, len(self._cells))
                yield self._cells[number], turn, 1
        if self._unknown is not None:
            yield self._unknown, step * self._unknown_quota, self._unknown_quota


class Balanced(BalancedRows):
    """Balanced batches of a data set: the paper's strategic sampling; see :class:`BalancedRows`.

    Args:
        dataset: the data set to draw from.
        batch_size: maximum number of rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper.
        strict_cells: whether an empty subgroup is an error instead of a warning.

    Raises:
        DataError: if a class or a group has no rows at all, or, with ``strict_cells``, a subgroup is empty.
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
        super().__init__(dataset.labels, dataset.groups, batch_size=batch_size, seed=seed, drop_last=drop_last)


class InTurn:
    """Several samplers, each of some rows of the same data set, which take turns: one batch each.

    With several yes/no attributes, batches are balanced over the subgroups of one attribute after the other: batches
    that are balanced over all of them at once would need a place for every combination of answers.

    Args:
        samplers: they have equal batches, except where an attribute has empty subgroups or rows of unknown group.
        rows: for each of them, int64 ``[N]``, the rows of the data set that it draws from.
    """

    def __init__(self, samplers: Sequence[Sampler], rows: Sequence[Tensor]) -> None:
        self._samplers, self._rows = tuple(samplers), tuple(rows)
        self.batch_size = max(each.batch_size for each in samplers)
        self.steps_per_epoch = max(each.steps_per_epoch for each in samplers)

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        turn, at = divmod(step, len(self._samplers))
        return self._rows[at][self._samplers[at].batch(turn)]

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before by the same sampler, int64 on the CPU."""
        turn, at = divmod(step, len(self._samplers))
        return self._samplers[at].passes(turn)


class BalancedBatchSampler(data.Sampler[list[int]]):
    """Balanced batches for any PyTorch data loader: the same number of samples of every subgroup in every batch.

    Every subgroup (one class of one group) that has samples gets ``batch_size // subgroups`` places in each batch;
    :class:`BalancedRows` describes the details. Each pass over the loader is a new epoch, shuffled differently;
    ``set_epoch`` picks the epoch of the next pass, for example after a restart.

    Args:
        labels: integer ``[N]`` classes; a tensor, an array or a list.
        groups: integer ``[N]`` groups, -1 where unknown.
        batch_size: maximum number of samples in a batch.
        seed: seed of the shuffling.

    Raises:
        ValueError: if the lengths differ, no sample has a known group, or a batch is too small.

    Example:
        >>> sampler = BalancedBatchSampler(labels=[0, 0, 0, 1, 1], groups=[0, 0, 1, 0, 1], batch_size=4)
        >>> images = torch.randn(5, 3, 8, 8)
        >>> loader = data.DataLoader(data.TensorDataset(images), batch_sampler=sampler)
        >>> [len(batch) for (batch,) in loader]
        [4, 4]
    """

    def __init__(
        self,
        labels: Tensor | Sequence[int],
        groups: Tensor | Sequence[int],
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        labels, groups = (torch.as_tensor(each, dtype=torch.int64).cpu() for each in (labels, groups))
        if labels.ndim != 1 or labels.shape != groups.shape:
            raise ValueError(
                "Expected arguments `labels` and `groups` to be vectors of the same length, "
                f"but got shapes {tuple(labels.shape)} and {tuple(groups.shape)}"
            )
        if not (groups >= 0).any():
            raise ValueError("Expected argument `groups` to hold at least one known group, but all are -1")
        self._rows = BalancedRows(labels, groups, batch_size=batch_size, seed=seed)
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass that of epoch ``epoch``, from 0."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of each batch of one epoch."""
        first = self._epoch * len(self)
        self._epoch += 1
        for step in range(first, first + len(self)):
            yield self._rows.batch(step).tolist()

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self._rows.steps_per_epoch


def _rows_by_cell(labels: Tensor, groups: Tensor) -> dict[str, Tensor]:
    """Return the rows of each subgroup that has any, in the order of classes and groups."""
    cells = {}
    for label in labels.unique().tolist():
        of_class = groups[labels == label]
        for group in of_class[of_class != UNKNOWN_GROUP].unique().tolist():
            cells[f"{label}/{group}"] = ((labels == label) & (groups == group)).nonzero().flatten()
    return cells


def check_cells(dataset: GroupedDataset, *, strict: bool = False) -> None:
    """Warn about the empty subgroups of a training set, or with ``strict`` raise an error.

    Raises:
        DataError: if a class or a group has no samples, or with ``strict`` if a subgroup is empty.
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
                f"{dataset.name} has no samples of {what} {', '.join(map(repr, absent))}; "
                f"add some, or remove that {what} from the data"
            )
    empty = dataset.empty_cells()
    if empty:
        text = (
            f"{dataset.name} has empty subgroups (class, group): {', '.join(empty)}; nothing can be learned about them"
        )
        if strict:
            raise DataError(text)
        warnings.warn(text, stacklevel=2)
