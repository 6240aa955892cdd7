"""Opening a model for images without labels: its classes and its preprocessing come from its own files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.data.files import broken_images
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.reading import Storage, scan, why_broken
from fairdistill.data.own.table import IMAGENET_MEAN, IMAGENET_STD
from fairdistill.errors import UsageError
from fairdistill.models.preprocessing import Preprocessing, preprocessing_of
from fairdistill.predicting.images import ImageList
from fairdistill.predicting.options import PredictOptions
from fairdistill.predictions.model_source import ModelSource
from fairdistill.predictions.opening import describing
from fairdistill.predictions.own_description import OwnDescription, own_description
from fairdistill.predictions.trained_model import DeployedModel, load_model
from fairdistill.system.runtime import Runtime
from fairdistill.system.threads import processors
from fairdistill.tables.columns import listed
from fairdistill.text.lists import joined

_ASSUMED = Recipe(size=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)
_TRIED = 128  # images that a model is tried on before all are


@dataclass(frozen=True)
class Opened:
    """A model that is ready for images.

    Attributes:
        model: the model; its logits are in the order of ``class_names``.
        class_names: the names of the classes.
        exif: whether images are turned as their EXIF orientation says.
        notes: what was assumed about it, one sentence each.
    """

    model: DeployedModel
    class_names: tuple[str, ...]
    exif: bool
    notes: tuple[str, ...]


def opened_for(images: ImageList, source: ModelSource, options: PredictOptions, runtime: Runtime) -> Opened:
    """Open a model and try it on some of the images.

    Raises:
        UsageError: if the model's file does not name its classes and ``--classes`` does not either, or the network
            cannot take the images.
        TeacherError: if its outputs do not fit the classes.
        DataError: if none of the images can be decoded.
    """
    own = own_description(source)
    names = own.described.class_names if options.classes is None else tuple(listed(options.classes))
    if names is None:
        raise UsageError(
            f"{source.path} does not name its classes; name them in the order of its outputs with --classes, for "
            "example --classes cat,dog"
        )
    prepared, notes = _prepared(own, source, options)
    sample = _sample(images, prepared, names, options)
    return Opened(load_model(source, sample, runtime), names, prepared.exif, notes)


def _prepared(
    own: OwnDescription, source: ModelSource, options: PredictOptions
) -> tuple[Preprocessing, tuple[str, ...]]:
    """Return how images are prepared, and a note on what was assumed about it."""
    with describing(source.path):
        found = preprocessing_of(own.described, own.metadata, default=_ASSUMED)
    assert found is not None
    exif = found.exif if options.exif is None else options.exif
    return Preprocessing(_cropped(found.recipe, source, options), exif), _assumed(own, source)


def _cropped(recipe: Recipe, source: ModelSource, options: PredictOptions) -> Recipe:
    if options.crop == "auto":
        return recipe
    size = source.size or recipe.size
    plain = Recipe(size=size, mean=recipe.mean, std=recipe.std)
    if options.crop == "none":
        return plain
    of_file = min(recipe.stored) if recipe.crop == "center" and size == recipe.size else round(size * 8 / 7)
    short = options.stored_size or of_file
    if short < size:
        raise UsageError(f"expected stored_size to be at least {size}, the model's input, but got {short}")
    return replace(plain, crop="center", stored=(short, short))


def _assumed(own: OwnDescription, source: ModelSource) -> tuple[str, ...]:
    unknown = [
        text
        for text, known, given in (
            ("a size of 224 pixels", own.described.size or source.path.endswith(".pt2"), source.size),
            ("ImageNet's mean", own.described.mean, source.mean),
            ("ImageNet's standard deviation", own.described.std, source.std),
        )
        if not known and given is None
    ]
    if not unknown:
        return ()
    return (
        f"The model's file does not say how its images are prepared, so {joined(unknown)} were assumed; set "
        "--model-size, --model-mean and --model-std",
    )


def _sample(
    images: ImageList, prepared: Preprocessing, class_names: tuple[str, ...], options: PredictOptions
) -> GroupedDataset:
    """Return some of the images that can be decoded, as a data set without labels and groups."""
    how = Decoding(exif=prepared.exif, depth=Depth(whole=options.bits))
    storage = Storage(None, options.workers or processors(), how)
    at = np.unique(np.linspace(0, len(images) - 1, min(len(images), _TRIED)).astype(np.int64))
    names = images.names[at]
    found = scan(images.source, names.tolist(), storage, prepared.recipe.view)
    whole = ~found.broken
    if not whole.any():
        first = [(str(name), why_broken(images.source, name, how)) for name in names[:5]]
        raise broken_images(first, len(names), len(names), name=str(options.images), where=images.source.where)
    kept = found.take(whole)
    return GroupedDataset.unlabelled(
        str(options.images),
        ImageFiles(images.source, names[whole], storage, kept.digests, kept.facts),
        class_names=class_names,
        recipe=prepared.recipe,
    )
