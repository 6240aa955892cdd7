"""The test images of a finished run: loaded again, checked to be the same, and sampled for the plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fairdistill import data
from fairdistill.data import GroupedDataset
from fairdistill.embedding.options import FEWEST_POINTS, EmbedOptions
from fairdistill.errors import DataError, UsageError
from fairdistill.runs import RunFolder
from fairdistill.system.randomness import generator
from fairdistill.tables.reading import read_columns

_REMEDY = "point --data-root to the data it was trained on, or train again"


@dataclass(frozen=True)
class Drawn:
    """The images in the plot.

    Attributes:
        rows: their indices in the test set, ascending.
        options: the options, with a perplexity that this number of points allows.
        notes: what a reader should know.
    """

    rows: Tensor
    options: EmbedOptions
    notes: tuple[str, ...]


def load_test_images(run: RunFolder, data_root: str | None) -> GroupedDataset:
    """Load the test set that the run's configuration names.

    Args:
        run: the run.
        data_root: where the data is now; None: where it was.

    Raises:
        DataError: if the data is gone or no longer has a test set.
    """
    config = run.config
    name, root = config["data"], data_root or config["data_root"]
    if data.is_path(name) and not Path(name).exists():
        moved = Path(data_root or "", Path(name).name)
        if data_root is None or not moved.exists():
            raise DataError(
                f"the data of {run.path} is gone: {moved if data_root else name} does not exist; give the folder that "
                "holds it now with --data-root"
            )
        name = str(moved)
    parts = data.load_splits(name, ["test"], root=root, **config["data_options"])
    if "test" not in parts:
        raise DataError(f"the data of {run.path} has changed: {name} no longer has a test set; {_REMEDY}")
    return parts["test"]


def recorded_predictions(run: RunFolder, result: Mapping[str, Any], test: GroupedDataset) -> Tensor:
    """Check that the test images are those of ``predictions.csv``; return the predictions there, int64 ``[N]``.

    Raises:
        DataError: naming the first difference.
    """
    path = run.path / "predictions.csv"
    table = read_columns(path, ["id", "label", "group", "pred"], "utf-8").fillna("")
    then = list(zip(table["id"], table["label"], table["group"], strict=True))
    groups = ["" if group < 0 else str(group) for group in test.groups.tolist()]
    now = list(zip(test.ids, map(str, test.labels.tolist()), groups, strict=True))
    names = {name: list(getattr(test, name)) for name in ("class_names", "group_names")}
    difference = None
    if len(now) != len(then):
        difference = f"it has {len(now):,} test images, but the run was tested on {len(then):,}"
    elif now != then:
        row = next(row for row in range(len(now)) if now[row] != then[row])
        here, there = ("id {!r}, label {}, group {!r}".format(*values[row]) for values in (now, then))
        difference = f"test image {row} has {here}, but in {path} it has {there}"
    elif names != {name: result[name] for name in names}:
        difference = f"its names are {names}, but those of the run are { ({name: result[name] for name in names}) }"
    if difference is not None:
        raise DataError(f"the data of {run.path} has changed: {difference}; {_REMEDY}")
    try:
        return torch.tensor([int(pred) for pred in table["pred"]])
    except ValueError as error:
        raise DataError(f"cannot read {path}: expected class indices in column pred, but {error}") from error


def draw(test: GroupedDataset, options: EmbedOptions) -> Drawn:
    """Sample the images of the plot: the same number from each subgroup, or all of a smaller one.

    Raises:
        UsageError: if fewer images are wanted than there are subgroups.
        DataError: if too few images have a known group.
    """
    cells = test.cell_counts()
    sizes = cells[cells > 0]
    if options.samples < len(sizes):
        raise UsageError(
            f"expected samples to be at least {len(sizes)}, one for each subgroup of {test.name}, but got "
            f"{options.samples}"
        )
    wanted = options.samples // max(len(sizes), 1)
    order = torch.randperm(len(test), generator=generator(options.seed, "embedded rows"))
    chosen = []
    for label, group in (cells > 0).nonzero().tolist():
        of_cell = order[(test.labels[order] == label) & (test.groups[order] == group)]
        chosen.append(of_cell[:wanted])
    n = sum(map(len, chosen))
    if n < FEWEST_POINTS:
        raise DataError(
            f"{test.name} has only {n} images with a group label; a t-SNE plot needs at least {FEWEST_POINTS}, so use "
            "a larger test set"
        )
    notes = _notes(test, cells, wanted)
    if options.perplexity >= n:
        wanted_perplexity, options = options.perplexity, replace(options, perplexity=(n - 1) / 3)
        notes.append(
            f"the perplexity was reduced to {options.perplexity:.4g}, a third of the {n:,} points, because "
            f"{wanted_perplexity:g} needs more points"
        )
    return Drawn(torch.cat(chosen).sort().values, options, tuple(notes))


def _notes(test: GroupedDataset, cells: Tensor, wanted: int) -> list[str]:
    notes = []
    sizes = cells[cells > 0]
    unknown = test.num_unknown_groups
    if unknown:
        notes.append(f"{unknown:,} of {len(test):,} test images are left out because they have no group label")
    empty = int((cells == 0).sum())
    if empty:
        notes.append(f"{empty} of {cells.numel()} subgroups have no test image")
    small = int((sizes < wanted).sum())
    if small:
        notes.append(f"{small} of {len(sizes)} subgroups have fewer than {wanted:,} test images and are shown in full")
    return notes
