"""Batches with the same number of rows of every subgroup."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.samplers.stream import Stream
from fairdistill.types import UNKNOWN_GROUP


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
            raise UsageError(f"a batch of {batch_size} is too small to be balanced over subgroups; make it larger")
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
        dataset.check_cells(strict=strict_cells)
        super().__init__(dataset.labels, dataset.groups, batch_size=batch_size, seed=seed, drop_last=drop_last)


def _rows_by_cell(labels: Tensor, groups: Tensor) -> dict[str, Tensor]:
    """Return the rows of each subgroup that has any, in the order of classes and groups."""
    cells = {}
    for label in labels.unique().tolist():
        of_class = groups[labels == label]
        for group in of_class[of_class != UNKNOWN_GROUP].unique().tolist():
            cells[f"{label}/{group}"] = ((labels == label) & (groups == group)).nonzero().flatten()
    return cells
