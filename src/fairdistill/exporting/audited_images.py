"""The images that an export is checked on, and those that measure the ranges of a quantized file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from fairdistill import data
from fairdistill.auditing.images import read_images
from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.data.augmentation.pipeline import Normalise
from fairdistill.data.images.reading import InMemory, Reader
from fairdistill.embedding.images import load_test_images
from fairdistill.errors import DataError, UsageError
from fairdistill.exporting.options import ExportOptions
from fairdistill.models.description.described import Described
from fairdistill.predictions.trained.as_deployed import data_options_as_deployed
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.runs import RunFolder
from fairdistill.text.sentences import capitalized

_RANGES = 256  # images that the ranges of activations are measured on
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class AuditedImages:
    """The images of an export.

    Attributes:
        test: the test set.
        ranges: images for the ranges of a quantized file; None unless they are needed.
        notes: what a reader should know about them.
    """

    test: GroupedDataset
    ranges: GroupedDataset | None = None
    notes: tuple[str, ...] = ()


def audited_images(
    source: ModelSource, said: Described, run: RunFolder | None, options: ExportOptions
) -> AuditedImages | None:
    """Return the test set of a run, or of the data that is named; None if there is neither, or nothing needs it.

    Raises:
        UsageError, DataError: if the data cannot be used.
    """
    if not options.reaudit and not options.int8:
        return None
    if options.data is not None:
        seen = data_options_as_deployed(source, said, options.data, _with_classes(options))
        options = replace(options, data_options=seen)
        test, validation = read_images(source.path, options)
        ranges = validation
        if options.int8 and ranges is None:
            ranges = _split(str(options.data), "train", options.data_root, options.data_options)
        own = tuple(capitalized(note) for note in test.notes)
        return AuditedImages(test, *_ranges(test, ranges, options, own))
    if run is None:
        if options.int8:
            raise UsageError("--int8 needs images to measure the ranges of activations; name some with --data")
        return None
    test = load_test_images(run, options.data_root)
    config = run.config
    ranges = None
    if options.int8:
        ranges = _split(config["data"], "train", options.data_root or config["data_root"], config["data_options"])
    return AuditedImages(test, *_ranges(test, ranges, options, ()))


def _with_classes(options: ExportOptions) -> Mapping[str, Any]:
    if options.classes is None or "classes" not in data.option_names(str(options.data)):
        return options.data_options
    return {**options.data_options, "classes": options.classes}


def _ranges(
    test: GroupedDataset, other: GroupedDataset | None, options: ExportOptions, notes: tuple[str, ...]
) -> tuple[GroupedDataset | None, tuple[str, ...]]:
    if not options.int8:
        return None, notes
    if other is not None:
        return other, notes
    note = "There are no training or validation images, so the ranges of activations were measured on test images"
    return test, (*notes, note)


def _split(name: str, split: data.Split, root: str | None, options: Mapping[str, Any]) -> GroupedDataset | None:
    try:
        return data.load_splits(name, [split], root=root, **options).get(split)
    except DataError:
        return None  # a table with test rows only, for example


def prepared(images: GroupedDataset, recipe: Recipe, *, pixels: bool) -> Tensor:
    """Return at most 256 images that are spread over a data set, as an exported graph takes them.

    Args:
        images: the data set.
        recipe: how the model's images are prepared.
        pixels: whether the graph takes uint8 pixels.
    """
    rows = torch.linspace(0, len(images) - 1, min(len(images), _RANGES)).long()
    reader: Reader
    if isinstance(images.images, ImageFiles):
        reader = images.images.reader(recipe.view)
    else:
        reader = InMemory(images.images, view=recipe.view, device=_CPU)
    found = reader.take(rows)
    return found.permute(0, 2, 3, 1) if pixels else Normalise(recipe, _CPU)(found)
