"""Your own images, listed in a table (CSV, TSV or Parquet) with a class and a group each."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_seed
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.sources import Folder
from fairdistill.data.own.sources import source_names
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows, Split, Whole
from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import Columns, check_bins, words_of
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.tables.sources import source_hint
from fairdistill.tables.spelling import spelling_notes

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class OwnOptions(FileOptions):
    """Options of your own images, in a table or a folder."""

    classes: str | None = None
    """Class names in the order of a model's outputs, comma-separated; default: sorted."""
    size: int = 224
    """Height and width of the network's input, in pixels."""
    crop: Literal["none", "random", "resized"] = "none"
    """Training crop: none (the whole image), random (a window of a larger image) or resized (a random box, resized)."""
    stored_size: int | None = None
    """Height and width of the images that training crops are cut from; default: 8/7 of size."""
    flip: bool = True
    """Flip training images horizontally at random."""
    mean: str = ",".join(map(str, IMAGENET_MEAN))
    """Channel means in [0, 1]; default: ImageNet's."""
    std: str = ",".join(map(str, IMAGENET_STD))
    """Channel standard deviations in [0, 1]; default: ImageNet's."""
    unknown: str | None = None
    """Values that mean unknown in the columns (or folders) of groups and sources, comma-separated, for example NA,?."""
    test_share: float = 0.2
    """Fraction of each subgroup that becomes the test set if no split is given."""
    data_seed: int = 0
    """Seed that selects the test set if no split is given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        words_of(self.unknown)
        if not 0 < self.test_share < 1:
            raise UsageError(f"expected test_share to lie between 0 and 1, but got {self.test_share}")
        check_seed("data_seed", self.data_seed)
        if self.stored_size is not None and self.crop == "none":
            raise UsageError("--stored-size applies only to training crops; add --crop random or --crop resized")
        for name in ("size", "stored_size"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 4096:
                raise UsageError(f"expected {name} to lie between 1 and 4096 pixels, but got {value}")
        if self.crop == "random" and (self.stored_size or self.size) < self.size:
            raise UsageError(f"expected stored_size to be at least size, {self.size}, but got {self.stored_size}")
        _ = self.recipe

    @property
    def recipe(self) -> Recipe:
        """How the images are preprocessed."""
        stored = self.size if self.crop == "none" else self.stored_size or round(self.size * 8 / 7)
        return Recipe(
            size=self.size,
            stored=(stored, stored),
            crop=self.crop,
            flip=self.flip,
            mean=channels("mean", self.mean),
            std=channels("std", self.std, positive=True),
        )


@dataclass(frozen=True, kw_only=True)
class TableOptions(OwnOptions):
    """Options of a table of images."""

    image: str = "image"
    """Column of image paths, relative to the table's folder or to --root."""
    label: str = "label"
    """Column of classes."""
    group: str = "group"
    """Column of groups; several columns, comma-separated, are combined. An empty value means unknown."""
    source: str | None = None
    """Column that identifies the person or picture behind each image; images that share one are never separated by a
    split that is drawn, and not counted as independent. Default: source_id, if the table has it."""
    split: str | None = None
    """Column of splits (train, val, test); default: the column `split`, if there is one."""
    split_map: Mapping[str, str] = field(default_factory=dict)
    """Meaning of a split name in the table, for example val=test; can be repeated."""
    bin: Mapping[str, str] = field(default_factory=dict)
    """Bin a numeric column into classes or groups, for example age=20,40; can be repeated."""
    encoding: str = "utf-8"
    """Text encoding of the table, for example latin-1 or cp1252."""


def load(
    wanted: Collection[Split], path: Path, root: Path | None, options: TableOptions, whole: Whole = None
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of the images that a table names, or all as one test set (``whole``).

    Raises:
        DataError: naming the table, row, column and value, for anything in it that cannot be used.
    """
    base = root or path.parent
    return load_own(read_rows(path, base, options), (wanted, whole), name=path.name, base=base, options=options)


def load_own(
    rows: Rows, wish: tuple[Collection[Split], Whole], *, name: str, base: Path, options: OwnOptions
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of a user's own images below ``base``; ``wish`` holds them, and whether to split."""
    from fairdistill.data.files import Origin, load_rows  # needs PyTorch, which the options do not

    return load_rows(
        rows,
        wish[0],
        Origin(
            name=name,
            source=Folder(base),
            recipe=options.recipe,
            storage=options.storage,
            skip_broken=options.skip_broken,
        ),
        test_share=options.test_share,
        split_seed=options.data_seed,
        joined=wish[1],
    )


def read_rows(path: Path, base: Path, options: TableOptions) -> Rows:
    """Return the rows of a table; only the columns that are needed are read."""
    names = header(path, options.encoding)
    groups = several(options.group, names)
    split = options.split or ("split" if "split" in names else None)
    source = options.source or ("source_id" if "source_id" in names else None)
    for option, column in [
        ("image", options.image), ("label", options.label), *(("group", g) for g in groups), ("source", source),
    ]:  # fmt: skip
        if column is not None:
            check_column(path, names, option, column)
    if split is not None:
        check_column(path, names, "split", split)
    elif options.split_map:
        raise UsageError(
            f"--split-map needs a split column, but {path} has no column 'split'; it has {', '.join(names)}. Choose "
            "one with --split"
        )
    if options.label in groups or len(set(groups)) < len(groups):
        twice = options.label if options.label in groups else next(g for g in groups if groups.count(g) > 1)
        raise UsageError(f"the column {twice!r} is used twice in --label and --group; use each column once")
    check_bins(options.bin, [options.label, *groups], "label and group columns")
    wanted = [options.image, options.label, *groups, split, source]
    used = list(dict.fromkeys(column for column in wanted if column is not None))
    columns = Columns(path, read_columns(path, used, options.encoding), options.bin, words_of(options.unknown))
    labels, class_names = columns.codes(options.label, "label", order=options.classes)
    group_codes, group_names = columns.crossed(groups)
    if options.label not in options.bin:
        of_class = np.bincount(labels, minlength=len(class_names)).tolist()
        columns.notes += spelling_notes(class_names, of_class, column=f"column {options.label!r}", kind="class")
    if source is None:
        columns.notes += source_hint(names, used)
    return Rows(
        names=paths_of(columns, options.image, base),
        labels=labels,
        groups=group_codes,
        splits=np.full(len(labels), NO_SPLIT) if split is None else _splits(columns, split, options.split_map),
        class_names=class_names,
        group_names=group_names,
        sources=None if source is None else source_names(columns, source),
        notes=tuple(columns.notes),
    )


def paths_of(columns: Columns, column: str, base: Path) -> NDArray[np.object_]:
    """Return normalized paths relative to ``base``; none may point outside it."""
    root = posixpath.normpath(base.absolute().as_posix()).rstrip("/") + "/"
    found = []
    for row, value in enumerate(columns.frame[column].tolist()):
        if not (isinstance(value, str) and value.strip()):
            raise DataError(f"{columns.where(row)}: column {column!r} is empty; add an image path or remove the row")
        if _PLAIN_PATH(value):
            found.append(value)
            continue
        full = posixpath.normpath(posixpath.join(root, value))
        if not full.startswith(root):
            raise DataError(
                f"{columns.where(row)}: {value!r} is outside {root}; correct the path, or pass the folder that holds "
                "all images with --root"
            )
        found.append(full[len(root) :])
    return np.array(found, object)


# A relative path without dots or doubled slashes cannot leave its folder; resolving the others is ten times slower.
_PLAIN_PATH = re.compile(r"[^/.][^/]*(/[^/.][^/]*)*").fullmatch


def _splits(columns: Columns, column: str, split_map: Mapping[str, str]) -> NDArray[np.int64]:
    """Return 0, 1 or 2 for train, val and test."""
    codes, names = columns.codes(column, "split")
    known: dict[str, str] = {split: split for split in SPLITS}
    known.update(split_map)
    for key, value in split_map.items():
        if value not in SPLITS:
            raise UsageError(f"--split-map {key}={value}: the split must be one of {', '.join(SPLITS)}")
        if key not in names:
            raise UsageError(
                f"--split-map {key}={value}: column {column!r} of {columns.path} holds only {', '.join(names)}"
            )
    for code, name in enumerate(names):
        if name not in known:
            row = int(np.flatnonzero(codes == code)[0])
            raise DataError(
                f"{columns.where(row)}: column {column!r} has {name!r}, expected one of {', '.join(SPLITS)}; say "
                f"which one it means, for example --split-map {name}=test"
            )
    place = np.array([list(SPLITS).index(known[name]) for name in names], np.int64)  # type: ignore[arg-type]  # checked above
    return place[codes]


def channels(name: str, text: str, *, positive: bool = False) -> tuple[float, float, float]:
    """Return the three numbers of ``0.485,0.456,0.406``; one number stands for all three.

    Raises:
        UsageError: if there are not one or three finite numbers, or one that must be positive is not.

    Example:
        >>> channels("mean", "0.5")
        (0.5, 0.5, 0.5)
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not np.isfinite(values).all() or (positive and min(values) <= 0):
        kind = "positive numbers" if positive else "numbers"
        raise UsageError(f"expected {name} to be three {kind}, for example 0.5,0.5,0.5, but got {text!r}")
    return values[0], values[1], values[2]
