"""Data sets of images with a class and a group each, loaded by name or from a user's own table or folder."""

from fairdistill.data.dataset import GroupedDataset, Recipe
from fairdistill.data.files import SPLITS, Split, without_duplicates
from fairdistill.data.images.augmentation import Pipeline
from fairdistill.data.images.reading import ImageFiles
from fairdistill.data.loading import DATASETS, DatasetEntry, entry, is_path, load, load_splits, parse_options
from fairdistill.data.own.table import channels
from fairdistill.data.splits import cut_validation

__all__ = [
    "DATASETS", "SPLITS", "DatasetEntry", "GroupedDataset", "ImageFiles", "Pipeline", "Recipe", "Split", "channels",
    "cut_validation", "entry", "is_path", "load", "load_splits", "parse_options", "without_duplicates",
]  # fmt: skip
