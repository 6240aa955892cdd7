"""From rows that name image files to data sets: broken files, duplicates and splits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.dataset import GroupedDataset
from fairdistill.data.images.reading import ImageFiles, Scan, Storage, scan, why_broken
from fairdistill.data.images.sources import Source
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows, Split
from fairdistill.data.splits import cut_validation
from fairdistill.errors import DataError

_SHOWN = 5


def load_rows(
    rows: Rows,
    wanted: Collection[Split],
    *,
    name: str,
    source: Source,
    recipe: Recipe,
    storage: Storage,
    skip_broken: bool,
    test_share: float = 0.2,
    split_seed: int = 0,
) -> dict[Split, GroupedDataset]:
    """Read every file once, and return those of the wanted splits that there are.

    Rows made from the same bytes share a ``source_id``, so that a cut never parts them. Where no row says its split,
    ``test_share`` of every cell becomes the test set.

    Raises:
        DataError: for broken files (unless they are skipped), fewer than two classes or groups, a class without
            training rows.
    """
    _check_names(rows, name)
    found = _scanned(rows, source, recipe, storage)
    broken = np.flatnonzero(found.broken)
    skipped = _skipped(rows, broken, source, skip_broken, name)
    if len(broken):
        kept = ~found.broken
        rows, found = rows.take(kept), Scan(found.digests[kept], found.broken[kept])
        _check_names(rows, name)
    sources = np.array([value.tobytes().hex() for value in found.digests], object)
    notes = (*rows.notes, *_noticed(rows, sources))
    whole = GroupedDataset(
        name=name,
        images=ImageFiles(source, rows.names, storage, found.digests),
        labels=torch.from_numpy(rows.labels),
        groups=torch.from_numpy(rows.groups),
        ids=_unique(rows.names.tolist()),
        source_ids=tuple(sources.tolist()),
        class_names=rows.class_names,
        group_names=rows.group_names,
        recipe=recipe,
        notes=notes,
        skipped=skipped,
    )
    if (rows.splits == NO_SPLIT).all():
        train, test = cut_validation(whole, split_seed=split_seed, fraction=test_share)
        if not len(test):
            raise DataError(
                f"{name}: no row says its split, and no cell has a second picture for a test set; give more images, or "
                "say which are for testing"
            )
        parts: dict[Split, GroupedDataset] = {"train": train, "test": test}
        said = f"no row says its split, so {len(test):,} of {len(whole):,} rows were drawn for the test set"
        parts = {split: replace(part, notes=(*notes, said)) for split, part in parts.items()}
    else:
        at = torch.from_numpy(rows.splits)
        numbered: list[tuple[Split, Tensor]] = [
            (split, (at == i).nonzero().flatten()) for i, split in enumerate(SPLITS)
        ]
        parts = {split: whole.subset(chosen) for split, chosen in numbered if len(chosen)}
    if "train" in parts:
        _check_classes(parts, name)
    return {split: replace(part, name=f"{name}/{split}") for split, part in parts.items() if split in wanted}


def without_duplicates(dataset: GroupedDataset, *others: GroupedDataset) -> GroupedDataset:
    """Return a data set without the rows made from a picture of another split; says how many in its notes."""
    held_out = {source for other in others for source in other.source_ids}
    kept = torch.tensor([source not in held_out for source in dataset.source_ids], dtype=torch.bool)
    dropped = int((~kept).sum())
    if not dropped:
        return dataset
    where = " or ".join(other.name for other in others)
    note = f"{dropped:,} rows were left out of {dataset.name}: their pictures are in {where} too"
    return replace(dataset.subset(kept.nonzero().flatten()), notes=(*dataset.notes, note))


def _scanned(rows: Rows, source: Source, recipe: Recipe, storage: Storage) -> Scan:
    """Read training rows at the size that crops are cut from, and the others at the size that networks see."""
    plain = (recipe.size, recipe.size)
    if recipe.stored == plain:
        return scan(source, rows.names.tolist(), storage, height=recipe.size, width=recipe.size)
    trains = rows.splits <= SPLITS.index("train")
    digests = np.zeros(len(rows.names), "V16")
    broken = np.zeros(len(rows.names), bool)
    for mask, (height, width) in ((trains, recipe.stored), (~trains, plain)):
        if mask.any():
            found = scan(source, rows.names[mask].tolist(), storage, height=height, width=width)
            digests[mask], broken[mask] = found.digests, found.broken
    return Scan(digests, broken)


def _skipped(
    rows: Rows, broken: NDArray[np.int64], source: Source, skip: bool, name: str
) -> tuple[tuple[str, str], ...]:
    if not len(broken):
        return ()
    if skip:
        return tuple((file, why_broken(source, file)) for file in rows.names[broken].tolist())
    listed = "; ".join(f"{file}: {why_broken(source, file)}" for file in rows.names[broken[:_SHOWN]].tolist())
    more = f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    raise DataError(
        f"{name}: {len(broken)} of {len(rows.names)} images cannot be read: {listed}{more}. Mend or remove them, or "
        f"leave them out with --skip-broken (looked for in {source.where})"
    )


def _check_names(rows: Rows, name: str) -> None:
    if not len(rows.names):
        raise DataError(f"{name}: there is no image left")
    for names, plural in ((rows.class_names, "classes"), (rows.group_names, "groups")):
        if len(names) < 2:
            only = f"only {names[0]!r}" if names else "none"
            raise DataError(f"{name}: expected at least two {plural}, but found {only}; nothing can be compared")


def _check_classes(parts: dict[Split, GroupedDataset], name: str) -> None:
    known = torch.bincount(parts["train"].labels, minlength=parts["train"].num_classes) > 0
    for split, part in parts.items():
        unknown = (~known[part.labels]).nonzero().flatten()
        if len(unknown):
            row = int(unknown[0])
            label = part.class_names[int(part.labels[row])]
            raise DataError(
                f"{name}: the class {label!r} of {part.ids[row]} ({split}) has no training row, nor have "
                f"{len(unknown) - 1} more {split} rows; correct the labels, or remove these rows"
            )


def _noticed(rows: Rows, sources: NDArray[np.object_]) -> tuple[str, ...]:
    """Say how many rows repeat another one's picture, across splits, or with another label or group."""
    _, first, inverse = np.unique(sources.astype(str), return_index=True, return_inverse=True)
    repeats = len(sources) - len(first)
    if not repeats:
        return ()
    notes = [f"{repeats:,} rows repeat the picture of another row byte for byte"]
    first_split, first_label, first_group = (
        values[first][inverse] for values in (rows.splits, rows.labels, rows.groups)
    )
    for differs, said in (
        (rows.splits != first_split, "rows repeat a picture of another split"),
        (rows.labels != first_label, "rows give a picture another label than its first row does"),
        (rows.groups != first_group, "rows give a picture another group than its first row does"),
    ):
        at = np.flatnonzero(differs)
        if len(at):
            example = f"{rows.names[at[0]]} and {rows.names[first[inverse[at[0]]]]}"
            notes.append(f"{len(at):,} {said} (such as {example})")
    return tuple(notes)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, those that were there before with a number behind."""
    taken = set(names)
    seen: dict[str, int] = {}
    ids = []
    for name in names:
        count = seen.get(name, 0) + 1
        while count > 1 and f"{name}#{count}" in taken:
            count += 1
        seen[name] = count
        ids.append(name if count == 1 else f"{name}#{count}")
    return tuple(ids)
