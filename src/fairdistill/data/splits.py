"""Cuts a validation set from training data, subgroup by subgroup; rows of one image or person stay together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fairdistill.data.dataset import GroupedDataset
from fairdistill.system.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


def cut_validation(
    train: GroupedDataset, *, split_seed: int, fraction: float = 0.1
) -> tuple[GroupedDataset, GroupedDataset]:
    """Split ``train`` into a smaller training set and a validation set.

    From every subgroup, ``fraction`` of the rows (rounded, at least one) go to validation; rows of unknown group are
    drawn from each class in the same way. Rows that share a ``source_id`` stay together, and no subgroup loses its last
    training row: a subgroup with a single row, or a single source, has no validation row. A source with far more rows
    of a subgroup than validation needs is used only if there is no other. Of several yes/no attributes, each
    combination of answers is a class; those that are rare in a group count as one.

    Args:
        train: the whole training set.
        split_seed: selects the rows; a student must use its teacher's.
        fraction: fraction of each subgroup, in (0, 1).

    Returns:
        The remaining training rows and the validation rows, each in the order of ``train``.

    Example:
        >>> from fairdistill.data import load
        >>> train, validation = cut_validation(load("digits-s", "train"), split_seed=0)
        >>> len(train) + len(validation), len(validation)
        (1000, 106)
    """
    if not 0 < fraction < 1:
        raise ValueError(f"Expected argument `fraction` to lie in (0, 1), but got {fraction}")
    groups = torch.where(train.groups == UNKNOWN_GROUP, train.num_groups, train.groups)
    cells = train.labels * (train.num_groups + 1) + groups
    if train.attributes is not None:
        cells = _with_rare_ones_joined(cells, groups, fewest=round(1 / fraction))
    pictures: dict[str, list[int]] = {}
    for source, cell in zip(train.source_ids, cells.tolist(), strict=True):
        pictures.setdefault(source, []).append(cell)
    sizes = Counter(cells.tolist())
    wanted = {cell: max(1, round(fraction * size)) for cell, size in sizes.items()}
    counts = {source: Counter(of_cells) for source, of_cells in pictures.items()}
    names = list(pictures)
    order = torch.randperm(len(names), generator=generator(split_seed, "validation split")).tolist()
    chosen = _draw([names[at] for at in order], counts, sizes, wanted)
    held_out = torch.tensor([source in chosen for source in train.source_ids], dtype=torch.bool)
    name = train.name.removesuffix("/train")
    return (
        train.subset((~held_out).nonzero().flatten(), name=f"{name}/train"),
        train.subset(held_out.nonzero().flatten(), name=f"{name}/val"),
    )


def _with_rare_ones_joined(cells: Tensor, groups: Tensor, *, fewest: int) -> Tensor:
    """Return cells, of which those with fewer rows are one for each group, int64 ``[N]``."""
    _, of_row, rows = cells.unique(return_inverse=True, return_counts=True)
    return torch.where(rows[of_row] < fewest, -1 - groups, cells)


def _draw(
    names: Sequence[str], counts: Mapping[str, Counter[int]], sizes: Counter[int], wanted: Mapping[int, int]
) -> set[str]:
    """Return the sources to set aside, drawn in this order.

    Args:
        names: the sources.
        counts: how many rows of each subgroup a source has.
        sizes: rows of each subgroup.
        wanted: how many of them to set aside.
    """
    left, missing = Counter(sizes), dict(wanted)
    chosen: set[str] = set()

    def take(name: str, *, filling: bool = False) -> None:
        rows = counts[name].items()
        fits = all(n < left[at] and (filling or 0 < missing[at] >= n - wanted[at]) for at, n in rows)
        if fits and name not in chosen:
            chosen.add(name)
            for at, n in rows:
                left[at] -= n
                missing[at] -= n

    for name in names:
        take(name)
    # Of a subgroup, all sources may be large, or have rows elsewhere too.
    if any(missing[at] == wanted[at] for at in wanted):
        for name in sorted(names, key=lambda name: counts[name].total()):
            if any(missing[at] == wanted[at] for at in counts[name]):
                take(name, filling=True)
    return chosen
