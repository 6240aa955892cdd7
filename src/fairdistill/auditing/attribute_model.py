"""Running a model with one output for each of several attributes, all of which are audited, or some, or one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairdistill.auditing.images import read_images
from fairdistill.auditing.options import AuditOptions
from fairdistill.data import GroupedDataset, names_attributes, option_names
from fairdistill.errors import DataError, TeacherError
from fairdistill.models import trust_code
from fairdistill.models.description.described import Described
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.as_deployed import data_options_as_deployed
from fairdistill.predictions.trained.attribute_model import (
    attribute_predictions,
    attribute_shares,
    load_attribute_model,
    write_attributes,
)
from fairdistill.predictions.trained.class_order import outputs_named
from fairdistill.predictions.trained.own_description import OwnDescription, own_description
from fairdistill.predictions.trained.source import ModelSource, given_for_data, source_of
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import choose_runtime, use_threads
from fairdistill.tables.yes_no import Attribute, attribute_of
from fairdistill.text.lists import listed
from fairdistill.text.sentences import capitalized

_SHOWN = 12


@dataclass(frozen=True)
class Found:
    """What a model says of each attribute that is audited.

    Attributes:
        attributes: the attributes.
        test: its predictions on the test images.
        validation: on validation images, None without.
    """

    attributes: tuple[Attribute, ...]
    test: list[Predictions]
    validation: Sequence[Predictions | None]


def run_model(path: str, options: AuditOptions) -> Found:
    """Run a model on the test images, and on validation images if there are some; see :func:`.audit_attributes`.

    Raises:
        UsageError: for a model or options that do not fit.
        TeacherError: if the model names its outputs, and none has the name of an attribute.
    """
    trust_code(options.model)
    source = source_of(path, options, **given_for_data(str(options.data), options.data_options))
    return run_opened(source, own_description(source), options)


def one_of_several(said: Described, options: AuditOptions) -> bool:
    """Return whether the options name a single attribute, of several that a model has outputs for."""
    label = options.data_options.get(_option(options))
    return bool(said.multi_label and said.class_names and label and outputs_named(said.class_names, [label]))


def run_opened(source: ModelSource, own: OwnDescription, options: AuditOptions) -> Found:
    """Run a model whose own files have been read; the options may also name a single attribute."""
    said, names = own.described, _wanted(options, own.described)
    option, ordered = _option(options), "classes" in options.data_options
    source = replace(source, classes=None)  # classes are no and yes; outputs have names of their own
    given = data_options_as_deployed(source, said, str(options.data), options.data_options)
    given[option] = ",".join(names)
    if len(names) > 1 and "yes_value" in option_names(str(options.data)):
        given["yes_value"] = {**_answers(said, names), **options.yes_value, **given.get("yes_value", {})}
    with caller_untouched():
        use_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        test, validation = read_images(source.path, replace(options, data_options=given))
        test = _only(test, names, said, ordered=ordered)
        outputs, places = _outputs(source.path, said, names, option=option)
        model = load_attribute_model(source, test.with_outputs(outputs), runtime, file=own.file)

        def shares_of(images: GroupedDataset) -> NDArray[np.float64]:
            whole = images.of_outputs()
            return attribute_shares(model, whole, where=source.path, runtime=runtime, outputs=places)

        shares = shares_of(test)
        if options.predictions_out is not None and len(names) > 1:
            write_attributes(options.predictions_out, test, dict(zip(names, shares.T, strict=True)))
        notes = tuple(map(capitalized, test.notes))
        found = attribute_predictions(model, test, shares, where=source.path)
        found = [replace(each, notes=(*each.notes, *notes)) for each in found]
        others: list[Predictions | None] = [None] * len(names)
        if validation is not None:
            validation = _only(validation, names, said, ordered=ordered)
            others = [*attribute_predictions(model, validation, shares_of(validation), where=source.path)]
    attributes = (_attribute(name, each, of=test) for name, each in zip(names, found, strict=True))
    return Found(tuple(attributes), found, others)


def _wanted(options: AuditOptions, said: Described) -> list[str]:
    """Return the attributes that the options name; by default all of the model's."""
    own, option = options.data_options, _option(options)
    if option not in own:
        return list(said.class_names or ())
    label = str(own[option])
    several = names_attributes(str(options.data), own)
    return [name.strip() for name in label.split(",")] if several else [label]


def _option(options: AuditOptions) -> str:
    """Return the option that names what is predicted for the images of the data set."""
    return "target" if "target" in option_names(str(options.data)) else "label"


def _answers(said: Described, names: Sequence[str]) -> dict[str, str]:
    """Return the values that mean yes to the attributes, as far as the model's own file says so."""
    named = zip(said.class_names or (), said.answers or (), strict=False)
    return {name: yes for name, (_, yes) in named if name in names}


def _only(data: GroupedDataset, names: Sequence[str], said: Described, *, ordered: bool) -> GroupedDataset:
    """Return images with only these attributes, in this order; of a single one, the classes become no and yes.

    Args:
        data: the images, with these attributes and perhaps more, or with the values of one as classes.
        names: the attributes.
        said: what the model's own files say.
        ordered: whether the user gave the order of the classes, the last of which then means yes.

    Raises:
        DataError: if a single attribute has other than two values.
    """
    if data.attributes is not None:
        return replace(data, attributes=data.attributes.of(names))
    (name,) = names
    if len(data.class_names) != 2:
        raise DataError(
            f"{data.name}: column {name!r} has {len(data.class_names):,} different values "
            f"({listed(data.class_names, _SHOWN)}), but the model's output of this name says only yes or no"
        )
    first, last = data.class_names
    known = _answers(said, names).get(name)
    yes = known if known in data.class_names else last if ordered else None
    attribute = attribute_of(name, (first, last), yes)
    labels = data.labels if attribute.classes == data.class_names else 1 - data.labels
    return replace(data, labels=labels, class_names=attribute.classes, notes=(*data.notes, *attribute.notes))


def _outputs(
    path: str, said: Described, names: Sequence[str], *, option: str
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of a model's outputs, and which of them belongs to each attribute.

    The outputs of a model that does not name them are the attributes, in their order.
    """
    if said.class_names is None:
        return tuple(names), tuple(range(len(names)))
    places = outputs_named(said.class_names, names)
    if places is None:
        unknown = [name for name in names if outputs_named(said.class_names, [name]) is None]
        raise TeacherError(
            f"the model {path} has no output for {', '.join(unknown or names)}; its outputs are "
            f"{listed(said.class_names, _SHOWN)}; name some of these with --{option}, in any order"
        )
    return said.class_names, places


def _attribute(name: str, predictions: Predictions, *, of: GroupedDataset) -> Attribute:
    no, yes = predictions.class_names
    if not len(predictions):
        raise DataError(f"no image of {of.name} has an answer for {name}; name only the others")
    return Attribute(name, (no, yes)).lacking(len(of) - len(predictions))
