"""Opening a model for images without labels: its classes and its preprocessing come from its own files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.data.files import broken_images
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.described import decoding_in
from fairdistill.data.images.reading import Storage, scan, why_broken
from fairdistill.data.own.options import IMAGENET_MEAN, IMAGENET_STD
from fairdistill.errors import UsageError
from fairdistill.models.description.preprocessing import Preprocessing
from fairdistill.predicting.images import ImageList
from fairdistill.predicting.options import PredictOptions
from fairdistill.predictions.trained.attribute_model import load_attribute_model, yes_in_words
from fairdistill.predictions.trained.model import DeployedModel, load_model
from fairdistill.predictions.trained.own_description import OwnDescription, own_description
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.system.runtime import Runtime
from fairdistill.system.threads import processors
from fairdistill.tables.columns import listed_once
from fairdistill.text.lists import joined
from fairdistill.text.sentences import capitalized

_ASSUMED = Recipe(size=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)
_TRIED = 128  # images that a model is tried on before all are


@dataclass(frozen=True)
class Opened:
    """A model that is ready for images.

    Attributes:
        model: the model; its logits are in the order of ``class_names``.
        class_names: the names of the classes.
        how: how the content of an image file becomes an image.
        answers: the two values of each of several yes/no attributes, no first; None if the classes exclude each other.
        notes: what was assumed about it, one sentence each.
    """

    model: DeployedModel
    class_names: tuple[str, ...]
    how: Decoding
    answers: tuple[tuple[str, str], ...] | None
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
    source = replace(source, given_rule=_given_rule(own, source, options))
    multiple = bool(own.described.multi_label) and options.classes is None
    names = own.described.class_names
    if options.attributes is not None:
        names = listed_once(options.attributes, "--attributes", "an attribute")
    elif options.classes is not None:
        names = listed_once(options.classes)
    attributes = multiple or options.attributes is not None
    if names is None:
        raise UsageError(
            f"{source.path} does not name its classes; name them in the order of its outputs with --classes, for "
            "example --classes cat,dog"
        )
    how = _decoding(own, options)
    sample = _sample(images, Preprocessing(_ASSUMED, how), names, options)
    load = load_attribute_model if attributes else load_model
    model = load(source, sample, runtime, file=own.file)
    notes = _assumed(own, source, model)
    if multiple and options.attributes is None and own.described.files:
        said = "says that its outputs are labels of which an image may have several; --classes makes them classes"
        notes = (*notes, f"{own.described.files[0]} {said}")
    if not attributes:
        return Opened(model, names, how, None, notes)
    known = own.described.answers if options.attributes is None else None
    if known is None or len(known) != len(names):
        return Opened(model, names, how, (("0", "1"),) * len(names), notes)
    return Opened(model, names, how, known, (*notes, capitalized(yes_in_words(names, known))))


def _decoding(own: OwnDescription, options: PredictOptions) -> Decoding:
    """Return how images are decoded: as the options say, else as those that the model was trained on."""
    how = decoding_in(own.metadata)
    depth = how.depth if options.bits is None else replace(how.depth, whole=options.bits)
    return replace(how, exif=how.exif if options.exif is None else options.exif, depth=depth)


def _given_rule(own: OwnDescription, source: ModelSource, options: PredictOptions) -> str | None:
    """Return what the options say about how images become the model's input, in the words of ``--model-input``."""
    if options.crop == "auto":
        return source.given_rule
    size = source.size or own.described.size
    if options.stored_size is not None and size is not None and options.stored_size < size:
        raise UsageError(
            f"expected stored_size to be at least {size}, the model's input, but got {options.stored_size}"
        )
    short = f":{options.stored_size}" if options.stored_size is not None else ""
    part = "whole" if options.crop == "none" else f"center{short}"
    return part if source.given_rule is None else f"{part},{source.given_rule}"


def _assumed(own: OwnDescription, source: ModelSource, model: DeployedModel) -> tuple[str, ...]:
    unknown = [
        text
        for text, known, given in (
            ("a size of 224 pixels", own.described.size or model.fixed_size, source.size),
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
    storage = Storage(None, options.workers or processors(), prepared.how)
    at = np.unique(np.linspace(0, len(images) - 1, min(len(images), _TRIED)).astype(np.int64))
    names = images.names[at]
    found = scan(images.source, names.tolist(), storage, prepared.recipe.view)
    whole = ~found.broken
    if not whole.any():
        first = [(str(name), why_broken(images.source, name, prepared.how)) for name in names[:5]]
        raise broken_images(first, len(names), len(names), name=str(options.images), where=images.source.where)
    kept = found.take(whole)
    return GroupedDataset.unlabelled(
        str(options.images),
        ImageFiles(images.source, names[whole], storage, kept.digests, kept.facts),
        class_names=class_names,
        recipe=prepared.recipe,
    )
