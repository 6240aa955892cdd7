"""The options of ``predict``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from fairdistill.contract import check_at_least_one, check_types
from fairdistill.errors import UsageError
from fairdistill.predictions.table.writing import check_table_path
from fairdistill.predictions.trained.running_options import RunningOptions


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """Images."""

    images: str | None = None
    """Images to predict: a folder, whose images are found at any depth, or a table that names them (.csv, .tsv, .jsonl,
    .parquet). No labels are needed."""
    image: str = "image"
    """Column of image paths in a table, relative to the table's folder or to --root."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder that the image paths of a table are relative to; default: the table's own folder."""
    encoding: str = "utf-8"
    """Text encoding of the table, for example latin-1 or cp1252."""
    skip_broken: bool = False
    """Skip, count and list images that cannot be decoded, instead of stopping."""
    crop: Literal["auto", "none", "center"] = "auto"
    """What the model sees of an image: none (the whole image, resized to a square) or center (short side resized to
    --stored-size, then the middle); auto: as the model's file says, else none."""
    stored_size: int | None = None
    """Size in pixels that --crop center resizes the short side to; default: as the model's file says, else 8/7 of the
    model's input."""
    exif: bool | None = None
    """Turn images as their EXIF orientation says; default: as the model's file says, else no."""
    bits: int | None = None
    """Bits of images that store integers of more than 8 bits, for example 12 for values up to 4095; default: the
    smallest of 8, 10, 12, 14, 16 or more that holds the largest value of all images."""
    workers: int | None = None
    """Number of threads that decode images; default: one per processor."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions(ImageOptions, RunningOptions):
    """Options of a prediction: the images, how the model is run, and the table to write."""

    heading: ClassVar[str] = "Predictions"

    classes: str | None = None
    """Class names in the order of the model's outputs, comma-separated; default: as the model's file names them."""
    attributes: str | None = None
    """Names of yes/no attributes in the order of the model's outputs, comma-separated, for a model with a logit or a
    sigmoid for each; default: those of a Hugging Face model made for several labels."""
    out: str | None = None
    """Table to write (.csv, .tsv). Default of the command: predictions.csv in the current folder."""

    def __post_init__(self) -> None:
        check_types(self)
        RunningOptions.__post_init__(self)
        check_at_least_one(self, "workers", "stored_size")
        if self.images is None:
            raise UsageError("name the images to predict with --images: a folder, or a table with a column of paths")
        if self.attributes is not None and self.classes is not None:
            raise UsageError("--attributes cannot be combined with --classes; a model has either")
        if self.stored_size is not None and self.crop != "center":
            raise UsageError("--stored-size applies only to --crop center; add it or drop --stored-size")
        if self.bits is not None and not 8 <= self.bits <= 32:
            raise UsageError(f"expected bits to lie between 8 and 32, but got {self.bits}")
        if self.out is not None:
            check_table_path(self.out, "--out")
