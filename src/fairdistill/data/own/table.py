"""Your own images, listed in a table (CSV, TSV or Parquet) with a class and a group each."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.sources import Folder
from fairdistill.data.own.chosen_columns import ChosenColumns
from fairdistill.data.own.class_labels import named_classes
from fairdistill.data.own.image_column import images_of
from fairdistill.data.own.metadata import MetadataColumns, header, read_columns
from fairdistill.data.own.options import OwnOptions, TableOptions
from fairdistill.data.own.paths import check_located, locate
from fairdistill.data.own.second_table import with_test_rows
from fairdistill.data.own.shards import SPLIT_WORDS, embedded
from fairdistill.data.own.sources import source_names
from fairdistill.data.own.split_folders import split_in, unused_splits
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows, Split, Whole
from fairdistill.errors import DataError, UsageError
from fairdistill.system.memory import return_freed_memory
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.meaning import answer
from fairdistill.tables.order import number
from fairdistill.tables.sources import id_column, repeated_ids, source_hint
from fairdistill.tables.splits import unread_split

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset

_NUMBERED: Mapping[float | None, str] = {0: "train", 1: "val"}  # what numbers of splits usually mean
_SUGGESTED = 3  # names of splits in a message


def load(
    wanted: Collection[Split], path: Path, root: Path | None, options: TableOptions, whole: Whole = None
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of the images that a table names, or all as one test set (``whole``).

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    base = root or _folder_of(path)
    rows = _located(path, base, options)
    if options.test_data is not None:
        other = Path(options.test_data)
        test_base = root or _folder_of(other)
        test = _located(other, test_base, options)
        rows = with_test_rows(rows, test, paths=(path, other), bases=(base, test_base))
    return load_own(rows, wanted, whole, name=path.name, base=base, options=options)


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _located(path: Path, base: Path, options: TableOptions) -> Rows:
    """Return the rows of a table; of images in files, the files that their paths mean."""
    rows = read_rows(path, base, options)
    return_freed_memory()
    if rows.source is not None and not isinstance(rows.source, Folder):
        return rows
    folder = Folder(base) if rows.source is None else rows.source
    located = locate(rows.names, Path(folder.where))
    notes = check_located(located, Path(folder.where), where=path.name, skip=options.skip_broken)
    return replace(rows, names=located.names, notes=(*rows.notes, *notes))


def load_own(
    rows: Rows, wanted: Collection[Split], whole: Whole, *, name: str, base: Path, options: OwnOptions
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of a user's own images below ``base``, or all as one test set (``whole``)."""
    from fairdistill.data.files import Origin, load_rows  # needs PyTorch, which the options do not

    return load_rows(
        rows,
        wanted,
        Origin.of(name, rows.source or Folder(base), options),
        test_share=options.test_share,
        split_seed=options.data_seed,
        joined=whole,
    )


def read_rows(path: Path, base: Path, options: TableOptions) -> Rows:
    """Return the rows of a table; only the columns that are needed are read."""
    names = header(path, options.encoding)
    chosen = ChosenColumns.of(path, names, options)
    labels, groups, split, source = chosen.labels, chosen.groups, chosen.split, chosen.source
    images = embedded(path, chosen.image)
    wanted = [*labels.names, *groups, split, source, chosen.image if images is None else None]
    used = list(dict.fromkeys(column for column in wanted if column is not None))
    ids = id_column(names, [*used, chosen.image]) if source is None else None
    frame = read_columns(path, used if ids is None else [*used, ids], options.encoding)
    columns = MetadataColumns(path, frame, options.bin, words_of(options.unknown), encoding=options.encoding)
    named = named_classes(columns, used, options.bin)
    classes = labels.read(columns, named)
    group_codes, group_names = columns.crossed(groups, (source, *(labels.names if len(labels.names) > 1 else ())))
    columns.notes += classes.spelling
    if source is None:
        columns.notes += source_hint(names, [*used, chosen.image])
        columns.notes += [] if ids is None else repeated_ids(frame[ids])
    sources = None if source is None else source_names(columns, source)
    found = images_of(columns, chosen.image, base, images)
    if split is None:
        columns.notes += unread_split(names, [*used, chosen.image]) or unused_splits(found.names.tolist())
    return Rows(
        names=found.names,
        labels=classes.labels,
        groups=group_codes,
        splits=np.full(len(frame), NO_SPLIT) if split is None else _splits(columns, split, options.split_map),
        class_names=classes.names,
        group_names=group_names,
        sources=sources,
        notes=(*columns.notes, *classes.notes, *found.notes),
        source=found.source,
        attributes=classes.attributes,
    )


def _suggested(name: str, column: str) -> str:
    """Return the split that a number may mean, or a yes or no in a column such as ``is_test``."""
    asked = split_in(column)
    said = answer(name)
    if said is not None and (asked is not None or number(name) is None):
        yes = asked or "train"
        return yes if said == "yes" else "test" if yes == "train" else "train"
    return _NUMBERED.get(number(name), "test")


def _splits(columns: Columns, column: str, split_map: Mapping[str, str]) -> NDArray[np.int64]:
    """Return 0, 1 or 2 for train, val and test."""
    codes, names = columns.codes(column, "split")
    known = {name: SPLIT_WORDS[word] for name in names if (word := name.strip().casefold()) in SPLIT_WORDS}
    known.update(split_map)
    for key, value in split_map.items():
        if value not in SPLITS:
            raise UsageError(f"--split-map {key}={value}: the split must be one of {', '.join(SPLITS)}")
        if key not in names:
            raise UsageError(
                f"--split-map {key}={value}: column {column!r} of {columns.path} holds only {', '.join(names)}"
            )
    odd = [name for name in names if name not in known]
    if odd:
        row = int(np.flatnonzero(codes == names.index(odd[0]))[0])
        meant = {name: split_in(name) or _suggested(name, column) for name in odd[:_SUGGESTED]}
        maps = " ".join(f"--split-map {shlex.quote(name)}={split}" for name, split in meant.items())
        raise DataError(
            f"{columns.where(row)}: column {column!r} has {odd[0]!r}, expected one of {', '.join(SPLITS)}; say "
            f"which one it means, for example {maps}"
        )
    place = np.array([list(SPLITS).index(known[name]) for name in names], np.int64)  # type: ignore[arg-type]  # checked above
    return place[codes]
