"""Data sets of images with a class and a group each, loaded by name or from a user's own table or folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.data.keywords import split_data_keywords, with_data_keywords
from fairdistill.data.loading import (
    DATASETS,
    DatasetEntry,
    design_of,
    entry,
    is_path,
    load,
    load_splits,
    names_attributes,
    option_names,
    parse_options,
)
from fairdistill.data.own.options import channels
from fairdistill.data.recipe import Recipe
from fairdistill.data.rows import SPLITS, Split, Whole

if TYPE_CHECKING:
    from fairdistill.data.augmentation.pipeline import Pipeline
    from fairdistill.data.dataset import GroupedDataset
    from fairdistill.data.files import without_duplicates
    from fairdistill.data.images.reading import ImageFiles
    from fairdistill.data.splits import cut_validation

__all__ = [
    "DATASETS", "SPLITS", "DatasetEntry", "GroupedDataset", "ImageFiles", "Pipeline", "Recipe", "Split", "Whole",
    "channels", "cut_validation", "design_of", "entry", "is_path", "load", "load_splits", "names_attributes",
    "option_names", "parse_options", "split_data_keywords", "with_data_keywords", "without_duplicates",
]  # fmt: skip

# Only these need PyTorch; the options of a data set are read without it.
__getattr__ = lazy_face(
    __name__,
    {
        "augmentation.pipeline": ("Pipeline",),
        "dataset": ("GroupedDataset",),
        "files": ("without_duplicates",),
        "images.reading": ("ImageFiles",),
        "splits": ("cut_validation",),
    },
)
