"""Options of your own images, in a table or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fairdistill.contract import check_seed
from fairdistill.data.file_options import FileOptions
from fairdistill.data.images.view import Interpolation, Resizing
from fairdistill.data.recipe import Crop, Recipe
from fairdistill.errors import UsageError
from fairdistill.tables.columns import words_of

if TYPE_CHECKING:
    from fairdistill.data.images.reading import Storage

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


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


@dataclass(frozen=True, kw_only=True)
class FolderOptions(OwnOptions):
    """Options of a folder of class folders."""

    group_table: str | None = field(default=None, metadata={"path": True})
    """Table of groups, with image paths relative to the folder; default: group folders inside the class folders."""
    image: str = "image"
    """Column of image paths in --group-table."""
    group: str = "group"
    """Column of groups in --group-table; several columns, comma-separated, are combined. An empty value means
    unknown."""
    source: str | None = None
    """Column in --group-table that identifies the person or picture behind each image; images that share one are never
    separated by a split that is drawn, and not counted as independent. Default: source_id, if the table has it."""
    bin: Mapping[str, str] = field(default_factory=dict)
    """Cut a group column of numbers in --group-table into ranges, for example age=20,40; can be repeated."""
    split_map: Mapping[str, str] = field(default_factory=dict)
    """Meaning of a split folder's name, for example val=test; can be repeated."""
    encoding: str = "utf-8"
    """Text encoding of --group-table."""

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [option for option in _OF_TABLE if getattr(self, option) != _OF_TABLE[option]]
        if self.group_table is None and given:
            raise UsageError(f"--{given[0]} applies only to --group-table; add --group-table or drop --{given[0]}")


_OF_TABLE: Mapping[str, Any] = {"image": "image", "group": "group", "source": None, "bin": {}, "encoding": "utf-8"}


def channels(name: str, text: str, *, positive: bool = False) -> tuple[float, float, float]:
    """Return the three numbers of ``0.485,0.456,0.406``; one number stands for all three.

    Raises:
        UsageError: if there are not one or three finite numbers, one that must be positive (a standard deviation) is
            not, or a mean is above 1.

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
    if not positive and max(values) > 1:
        shown = ",".join(f"{value / 255:.4g}" for value in values)
        raise UsageError(
            f"expected {name} to be that of pixels from 0 to 1, but got {text!r}; divide it, and the standard "
            f"deviation, by 255: {shown}"
        )
    return values[0], values[1], values[2]
