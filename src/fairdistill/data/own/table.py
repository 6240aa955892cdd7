"""Your own images, listed in a table (CSV, TSV or Parquet) with a class and a group each."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_seed
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.sources import Folder
from fairdistill.data.images.view import Interpolation, Resizing
from fairdistill.data.own.class_labels import named_classes
from fairdistill.data.own.image_column import images_of
from fairdistill.data.own.labels import LabelColumns
from fairdistill.data.own.metadata import FILE_NAME, MetadataColumns, header, read_columns
from fairdistill.data.own.paths import check_located, locate
from fairdistill.data.own.second_table import with_test_rows
from fairdistill.data.own.shards import SPLIT_WORDS, embedded
from fairdistill.data.own.sources import source_names
from fairdistill.data.own.split_folders import split_in, unused_splits
from fairdistill.data.recipe import Crop, Recipe
from fairdistill.data.rows import NO_SPLIT, SPLITS, Rows, Split, Whole
from fairdistill.errors import DataError, UsageError
from fairdistill.system.memory import return_freed_memory
from fairdistill.tables.columns import Columns, check_bins, words_of
from fairdistill.tables.order import number
from fairdistill.tables.reading import check_column, several
from fairdistill.tables.sources import repeated_ids, source_hint

if TYPE_CHECKING:
    from fairdistill.data.dataset import GroupedDataset
    from fairdistill.data.images.reading import Storage

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_NUMBERED: Mapping[float | None, str] = {0: "train", 1: "val"}  # what numbers of splits usually mean
_SUGGESTED = 3  # names of splits in a message


@dataclass(frozen=True, kw_only=True)
class OwnOptions(FileOptions):
    """Options of your own images, in a table or a folder."""

    classes: str | None = None
    """Class names in the order of a model's outputs, comma-separated; default: sorted."""
    size: int = 224
    """Height and width of the network's input, in pixels."""
    crop: Crop = "none"
    """What the network sees of an image: none (the whole image, resized to a square whatever its shape) or center
    (short side resized to --stored-size, then the middle); in training only, random (a window of a larger image) or
    resized (a random box, resized)."""
    stored_size: int | None = None
    """Size in pixels that crops are cut from, for --crop center of the short side; default: 8/7 of size (256 for
    224)."""
    interpolation: Interpolation = "bilinear"
    """How pixels are computed when images are resized: nearest, bilinear, bicubic, lanczos, box or hamming."""
    antialias: bool = True
    """Smooth images that become smaller (bilinear and bicubic), as Pillow always does and OpenCV does not."""
    exif: bool = False
    """Turn images as their EXIF orientation says, as image viewers do; training pipelines often ignore it."""
    bits: int | None = None
    """Bits of images that store integers of more than 8 bits, for example 12 for values up to 4095; default: the
    smallest of 8, 10, 12, 14, 16 or more that holds the largest value of all images."""
    flip: bool = True
    """Flip training images horizontally at random."""
    mean: str = ",".join(map(str, IMAGENET_MEAN))
    """Channel means in [0, 1]; default: ImageNet's."""
    std: str = ",".join(map(str, IMAGENET_STD))
    """Channel standard deviations in [0, 1]; default: ImageNet's."""
    unknown: str | None = None
    """Values that mean unknown in the columns (or folders) of groups and sources, and in several columns of --label,
    comma-separated, for example NA,?."""
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
            raise UsageError("--stored-size applies only to crops; add --crop center, --crop random or --crop resized")
        for name in ("size", "stored_size"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 4096:
                raise UsageError(f"expected {name} to lie between 1 and 4096 pixels, but got {value}")
        if self.bits is not None and not 8 <= self.bits <= 32:
            raise UsageError(f"expected bits to lie between 8 and 32, but got {self.bits}")
        if self.crop in ("center", "random") and (self.stored_size or self.size) < self.size:
            raise UsageError(f"expected stored_size to be at least size, {self.size}, but got {self.stored_size}")
        _ = self.recipe

    @property
    def storage(self) -> Storage:
        """How images are decoded, and where the results are kept."""
        from fairdistill.data.images.decoding import Decoding
        from fairdistill.data.images.depth import Depth

        return replace(super().storage, how=Decoding(exif=self.exif, depth=Depth(whole=self.bits)))

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
            resizing=Resizing(interpolation=self.interpolation, antialias=self.antialias),
        )


@dataclass(frozen=True, kw_only=True)
class TableOptions(OwnOptions):
    """Options of a table of images."""

    image: str = "image"
    """Column of image paths, relative to the table's folder or to --root."""
    label: str = "label"
    """Column of classes; several, comma-separated, are yes/no attributes, each with an output of the network."""
    yes_value: Mapping[str, str] = field(default_factory=dict)
    """With several columns in --label: the value of one that means yes, for example glasses=worn; can be repeated.
    Default: 1, yes, true or the column's own name, else the second value."""
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
    test_data: str | None = field(default=None, metadata={"path": True})
    """Another table with the same columns, whose rows are the test set; rows without a split are then for training."""
    encoding: str = "utf-8"
    """Text encoding of the table, for example latin-1 or cp1252."""


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
    return load_own(rows, (wanted, whole), name=path.name, base=base, options=options)


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
    rows: Rows, wish: tuple[Collection[Split], Whole], *, name: str, base: Path, options: OwnOptions
) -> dict[Split, GroupedDataset]:
    """Return the wanted splits of a user's own images below ``base``; ``wish`` holds them, and whether to split."""
    from fairdistill.data.files import Origin, load_rows  # needs PyTorch, which the options do not

    return load_rows(
        rows,
        wish[0],
        Origin(
            name=name,
            source=rows.source or Folder(base),
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
    if options.image == "image" and "image" not in names and FILE_NAME in names:
        options = replace(options, image=FILE_NAME)  # as Hugging Face's metadata tables name it
    groups = several(options.group, names)
    labels = LabelColumns.named(
        options.label, names, order=options.classes, yes_values=options.yes_value, bins=options.bin
    )
    split = options.split or next((name for name in names if name.strip().casefold() == "split"), None)
    source = options.source or ("source_id" if "source_id" in names else None)
    for option, column in [
        ("image", options.image), *(("label", c) for c in labels.names), *(("group", g) for g in groups),
        ("source", source),
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
    for option, column in (
        ("group", None),
        ("split", options.split),
        ("source", options.source),
        ("image", options.image),
    ):
        given = [*labels.names, *(groups if option != "source" else ()), column]  # a group may be one person
        twice = next((name for name in given if name is not None and given.count(name) > 1), None)
        if twice is not None:
            others = "--label and --group" if option == "group" else f"--{option} and --label or --group"
            raise UsageError(f"the column {twice!r} is used twice in {others}; use each column once")
    check_bins(options.bin, [*labels.names, *groups], "label and group columns")
    images = embedded(path, options.image)
    wanted = [*labels.names, *groups, split, source, options.image if images is None else None]
    used = list(dict.fromkeys(column for column in wanted if column is not None))
    ids = ["id"] if source is None and "id" in names and "id" not in [*used, options.image] else []
    frame = read_columns(path, [*used, *ids], options.encoding)
    columns = MetadataColumns(path, frame, options.bin, words_of(options.unknown))
    named = named_classes(columns, used, options.bin)
    classes = labels.read(columns, named)
    group_codes, group_names = columns.crossed(groups, (source, *(labels.names if len(labels.names) > 1 else ())))
    columns.notes += classes.spelling
    if source is None:
        columns.notes += source_hint(names, [*used, options.image])
        columns.notes += [note for name in ids for note in repeated_ids(frame[name])]
    sources = None if source is None else source_names(columns, source)
    found = images_of(columns, options.image, base, images)
    if split is None:
        columns.notes += unused_splits(found.names.tolist())
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
        meant = {name: split_in(name) or _NUMBERED.get(number(name), "test") for name in odd[:_SUGGESTED]}
        maps = " ".join(f"--split-map {shlex.quote(name)}={split}" for name, split in meant.items())
        raise DataError(
            f"{columns.where(row)}: column {column!r} has {odd[0]!r}, expected one of {', '.join(SPLITS)}; say "
            f"which one it means, for example {maps}"
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
