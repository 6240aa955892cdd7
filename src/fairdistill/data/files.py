"""Turns rows that name image files into data sets: broken files, duplicates and splits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data.dataset import GroupedDataset
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.cache_format import compressing
from fairdistill.data.images.compressing import QUALITY
from fairdistill.data.images.facts import FACTS, common_depth
from fairdistill.data.images.reading import ImageFiles, Scan, Storage, scan, why_broken
from fairdistill.data.images.remarks import remarks
from fairdistill.data.images.sources import Source
from fairdistill.data.images.view import View
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows, Split, Whole
from fairdistill.data.shared import repeated_pictures, shared_sources, source_ids
from fairdistill.data.splits import cut_validation
from fairdistill.errors import DataError
from fairdistill.system.memory import return_freed_memory
from fairdistill.tables.small_groups import few_rows_note
from fairdistill.tables.spelling import lookalikes

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the images of a data set come from, and how they are read.

    Attributes:
        name: the data set's name, for messages.
        source: opens an image by its name.
        recipe: sizes and preprocessing.
        storage: where and how decoded images are kept.
        skip_broken: whether images that cannot be decoded are left out instead of being an error.
    """

    name: str
    source: Source
    recipe: Recipe
    storage: Storage
    skip_broken: bool = False

    @classmethod
    def of(cls, name: str, source: Source, options: FileOptions) -> Origin:
        """Return where images come from that are read as options say."""
        return cls(
            name=name, source=source, recipe=options.recipe, storage=options.storage, skip_broken=options.skip_broken
        )


def load_rows(
    rows: Rows,
    wanted: Collection[Split],
    origin: Origin,
    *,
    test_share: float = 0.2,
    split_seed: int = 0,
    joined: Whole = None,
) -> dict[Split, GroupedDataset]:
    """Read every file once and return the wanted splits that exist.

    Rows of one source, or whose files have the same bytes, share a ``source_id``, so that a split that is drawn never
    separates them.

    Args:
        rows: what a table or folder says of each image.
        wanted: the splits.
        origin: where the files are, and how they are read.
        test_share: share of every subgroup that becomes the test set if no split is given.
        split_seed: draws that share.
        joined: make all rows one test set: ``always``, or ``unsplit`` if no split is given.

    Raises:
        DataError: for broken files (unless they are skipped), fewer than two classes or groups, or a class without
            training rows.
    """
    name = origin.name
    _check_names(rows, name)
    unsplit = bool((rows.splits == NO_SPLIT).all())
    as_one = joined == "always" or (joined == "unsplit" and unsplit)
    if as_one:
        rows = replace(rows, splits=np.full(len(rows.names), SPLITS.index("test")))
    origin, found = _scanned(rows, origin)
    skipped = _skipped(rows, np.flatnonzero(found.broken), origin)
    if skipped:
        rows, found = rows.take(~found.broken), found.take(~found.broken)
        _check_names(rows, name)
    repeated, whole = _whole(rows, found, origin, skipped)
    del found
    return_freed_memory()
    if as_one:
        why = ", since no split is given" if unsplit else ""
        note = f"all {len(whole):,} rows were read{why}; a model looks better on rows that it was trained on"
        return {"test": replace(whole, notes=(*whole.notes, note))}
    if unsplit:
        train, test = cut_validation(whole, split_seed=split_seed, fraction=test_share)
        if not len(test):
            raise _nothing_to_test_on(name, of_sources=rows.sources is not None, copies=repeated)
        parts = _with_note_on_draw(whole, train, test)
    else:
        parts = _given(whole, torch.from_numpy(rows.splits))
    if "train" in parts and "train" in wanted and rows.attributes is None:
        _check_classes(parts, name)
    return {split: replace(part, name=f"{name}/{split}") for split, part in parts.items() if split in wanted}


def _whole(
    rows: Rows, found: Scan, origin: Origin, skipped: tuple[tuple[str, str], ...]
) -> tuple[bool, GroupedDataset]:
    """Return whether some files have the same bytes, and all rows as one data set."""
    pictures = _named(found.digests)
    sources = source_ids(pictures, rows.sources)
    repeated = repeated_pictures(rows, pictures)
    few = few_rows_note(np.concatenate([_subgroups(each) for each in _of_attributes(rows)], axis=1))
    notes = (
        *rows.notes,
        *_jpeg_note(origin.storage),
        *repeated,
        *shared_sources(rows),
        *([few] if few else []),
        *remarks(rows.names, found.facts, origin.storage.how),
    )
    return_freed_memory()  # much of what comparing a million rows took
    whole = GroupedDataset(
        name=origin.name,
        images=ImageFiles(origin.source, rows.names, origin.storage, found.digests, found.facts),
        labels=torch.from_numpy(rows.labels),
        groups=torch.from_numpy(rows.groups),
        ids=unique_ids(rows.names.tolist()),
        source_ids=tuple(sources.tolist()),
        class_names=rows.class_names,
        group_names=rows.group_names,
        recipe=origin.recipe,
        notes=notes,
        skipped=skipped,
        attributes=rows.attributes,
    )
    return bool(repeated), whole


def _given(whole: GroupedDataset, splits: Tensor) -> dict[Split, GroupedDataset]:
    """Return the splits that the rows name, ``splits`` by number, int64 ``[N]``."""
    rows = {split: (splits == number).nonzero().flatten() for number, split in enumerate(SPLITS)}
    return {split: whole.subset(chosen) for split, chosen in rows.items() if len(chosen)}


def _with_note_on_draw(
    whole: GroupedDataset, train: GroupedDataset, test: GroupedDataset
) -> dict[Split, GroupedDataset]:
    note = (
        f"no split is given, so {len(test):,} of {len(whole):,} rows were drawn for the test set; a model that saw "
        "them in training looks better there"
    )
    return {"train": replace(train, notes=(*whole.notes, note)), "test": replace(test, notes=(*whole.notes, note))}


def _nothing_to_test_on(name: str, *, of_sources: bool, copies: bool) -> DataError:
    other = " of another source" if of_sources else ""
    once = "; files with the same bytes count as one" if copies else ""
    return DataError(
        f"{name}: no split is given, and no subgroup has a second image{other} to put in a test set{once}; "
        "add images, or assign some to the test set"
    )


def without_duplicates(dataset: GroupedDataset, *others: GroupedDataset) -> GroupedDataset:
    """Return a data set without the images and sources that are also in another split; its notes say how many.

    Raises:
        DataError: if none is left.
    """
    held_out = {source for other in others for source in other.source_ids}
    kept = torch.tensor([source not in held_out for source in dataset.source_ids], dtype=torch.bool)
    dropped = int((~kept).sum())
    if not dropped:
        return dataset
    where = " or ".join(other.name for other in others)
    if dropped == len(dataset):
        raise DataError(
            f"{dataset.name}: no row is left, because each shows an image or source that is also in {where}; give "
            "every source a single split"
        )
    were = "row was" if dropped == 1 else "rows were"
    note = f"{dropped:,} {were} removed from {dataset.name} because the same image or source is also in {where}"
    return replace(dataset.subset(kept.nonzero().flatten()), notes=(*dataset.notes, note))


def _scanned(rows: Rows, origin: Origin) -> tuple[Origin, Scan]:
    """Read all files once; deep images that imply different ranges are read again, all with the widest."""
    wanted = [(view, rows.names[mask].tolist()) for view, mask in _views(rows, origin.recipe)]
    origin = replace(origin, storage=compressing(origin.storage, origin.source, wanted))
    found = _scanned_as(rows, origin)
    how = origin.storage.how
    depth = common_depth(found.facts, how.depth)
    if depth == how.depth:
        return origin, found
    origin = replace(origin, storage=replace(origin.storage, how=replace(how, depth=depth)))
    return origin, _scanned_as(rows, origin)


def _scanned_as(rows: Rows, origin: Origin) -> Scan:
    """Read training files at the size that crops are cut from, and the others as networks see them."""
    found = Scan(np.zeros(len(rows.names), "V16"), np.zeros(len(rows.names), bool), np.zeros(len(rows.names), FACTS))
    for view, mask in _views(rows, origin.recipe):
        part = scan(origin.source, rows.names[mask].tolist(), origin.storage, view)
        found.digests[mask], found.broken[mask], found.facts[mask] = part.digests, part.broken, part.facts
    return found


def _views(rows: Rows, recipe: Recipe) -> list[tuple[View, NDArray[np.bool_]]]:
    """Return each view that is read, with the rows that it is read of, bool ``[N]``."""
    if recipe.training_view == recipe.view:
        return [(recipe.view, np.ones(len(rows.names), bool))]
    trains = rows.splits <= SPLITS.index("train")
    both = ((recipe.training_view, trains), (recipe.view, ~trains))
    return [(view, mask) for view, mask in both if mask.any()]


def _jpeg_note(storage: Storage) -> tuple[str, ...]:
    if not storage.how.jpeg or storage.format == "jpeg":
        return ()
    return (
        f"images are cached as JPEG (quality {QUALITY}), since their pixels would fill more than half of the disk "
        "space that was free; pixels change a little, which --cache-format raw avoids",
    )


def _skipped(rows: Rows, broken: NDArray[np.int64], origin: Origin) -> tuple[tuple[str, str], ...]:
    """Return the broken files with the reason for each, if they are to be left out."""
    source, how = origin.source, origin.storage.how
    if not len(broken):
        return ()
    none_left = len(broken) == len(rows.names)
    if origin.skip_broken and not none_left:
        return tuple((file, why_broken(source, file, how)) for file in rows.names[broken].tolist())
    first = [(file, why_broken(source, file, how)) for file in rows.names[broken[:_SHOWN]].tolist()]
    raise broken_images(first, len(broken), len(rows.names), name=origin.name, where=source.where)


def broken_images(first: Sequence[tuple[str, str]], broken: int, of: int, *, name: str, where: str) -> DataError:
    """Return the error for images that cannot be read.

    Args:
        first: the first of them, each with the reason.
        broken: how many there are.
        of: how many images there are.
        name: the data set.
        where: where the images were looked for.
    """
    listed = "; ".join(f"{file}: {reason}" for file, reason in first[:_SHOWN])
    more = f"; and {broken - _SHOWN} more" if broken > _SHOWN else ""
    remedy = "Repair or remove them, or skip them with --skip-broken"
    if broken == of:
        remedy = "Check the files and their folder"
    return DataError(
        f"{name}: {broken:,} of {of:,} images cannot be read: {listed}{more}. {remedy} (searched in {where})"
    )


def _of_attributes(rows: Rows) -> list[Rows]:
    """Return the rows with the answers of each attribute as classes; the rows themselves without attributes."""
    if rows.attributes is None:
        return [rows]
    pairs = zip(rows.attributes.yes.T, rows.attributes.answers, strict=True)
    return [replace(rows, labels=yes[rows.labels], class_names=pair) for yes, pair in pairs]


def _subgroups(rows: Rows) -> NDArray[np.int64]:
    """Return the number of rows in each subgroup, int64 ``[G, C]``."""
    known, classes = (rows.groups >= 0) & (rows.labels >= 0), len(rows.class_names)
    cells = np.bincount(rows.groups[known] * classes + rows.labels[known], minlength=len(rows.group_names) * classes)
    return cells.reshape(len(rows.group_names), classes)


def _check_names(rows: Rows, name: str) -> None:
    if not len(rows.names):
        raise DataError(f"{name}: no images are left")
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
            others, plural = len(unknown) - 1, "s" if len(unknown) > 2 else ""
            more = f", and the same is true of {others:,} more {split} row{plural}" if others else ""
            trained = [other for other, is_known in zip(part.class_names, known.tolist(), strict=True) if is_known]
            written = next((f" (but {other!r} has some)" for other in trained if lookalikes([label, other])), "")
            raise DataError(
                f"{name}: the class {label!r} of {part.ids[row]} ({split}) has no training image{written}{more}; "
                "correct the labels or remove these rows"
            )


def _named(digests: NDArray[np.void]) -> NDArray[np.object_]:
    """Return hashes, ``V16 [N]``, as hexadecimal texts, object ``[N]``; equal ones share one."""
    words = np.ascontiguousarray(digests).view(np.uint64).reshape(-1, 2)
    order = np.lexsort(words.T)
    first = np.append(True, (words[order[1:]] != words[order[:-1]]).any(axis=1))[: len(order)]
    of_row = np.empty(len(order), np.int64)
    of_row[order] = np.cumsum(first) - 1
    return np.array([value.tobytes().hex() for value in digests[order[first]]], object)[of_row]


def unique_ids(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, with a number appended to each that has occurred before."""
    taken = set(names)
    if len(taken) == len(names):
        return tuple(names)
    seen: dict[str, int] = {}
    ids = []
    for name in names:
        count = seen.get(name, 0) + 1
        while count > 1 and f"{name}#{count}" in taken:
            count += 1
        seen[name] = count
        ids.append(name if count == 1 else f"{name}#{count}")
    return tuple(ids)
