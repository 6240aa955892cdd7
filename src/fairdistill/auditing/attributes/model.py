"""Running a model with one output for each of several attributes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from fairdistill.auditing.images import read_images
from fairdistill.auditing.options import AuditOptions
from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.models import trust_code
from fairdistill.predictions import Predictions
from fairdistill.predictions.as_deployed import data_options_as_deployed
from fairdistill.predictions.attribute_model import attribute_shares, load_attribute_model, write_attributes
from fairdistill.predictions.model_source import given_for_data, source_of
from fairdistill.predictions.own_description import own_description
from fairdistill.predictions.trained_model import DeployedModel
from fairdistill.predictions.yes_no import of_yes
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import Runtime, choose_runtime
from fairdistill.tables.yes_no import Attribute
from fairdistill.text.sentences import capitalized


def run_model(
    path: str, label: str, options: AuditOptions
) -> tuple[tuple[Attribute, ...], list[Predictions], list[Predictions | None]]:
    """Run a model on the test images, and on validation images if there are some; see :func:`.audit.audit_attributes`.

    Raises:
        UsageError: for data other than a table.
    """
    trust_code(options.model)
    table = Path(str(options.data))
    own = {**options.data_options, "label": label}
    if options.yes_value:
        own.setdefault("yes_value", options.yes_value)
    if not table.is_file():
        raise UsageError(f"--label {label}: only a table of images has several attributes, not {options.data}")
    source = source_of(path, options, **{**given_for_data(str(options.data), own), "classes": None})
    own = data_options_as_deployed(source, own_description(source).described, str(options.data), own)
    with caller_untouched():
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        test, validation = read_images(path, replace(options, data_options=own))
        assert test.attributes is not None, "the label names several columns"
        names, answers = test.attributes.names, test.attributes.answers
        model = load_attribute_model(source, test.of_outputs(), runtime)
        found = _outputs(path, model, test, runtime, out=options.predictions_out)
        others: list[Predictions | None] = [None] * len(names)
        if validation is not None:
            others = [*_outputs(path, model, validation, runtime)]
    return tuple(map(Attribute, names, answers)), found, others


def _outputs(
    path: str, model: DeployedModel, images: GroupedDataset, runtime: Runtime, *, out: str | None = None
) -> list[Predictions]:
    shares = attribute_shares(model, images.of_outputs(), where=path, runtime=runtime)
    if out is not None:
        assert images.attributes is not None
        write_attributes(out, images, dict(zip(images.attributes.names, shares.T, strict=True)))
    return [of_yes(_labelled(path, model, part), shares[:, at]) for at, part in enumerate(images.of_attributes())]


def _labelled(path: str, model: DeployedModel, part: GroupedDataset) -> Predictions:
    notes = map(capitalized, part.notes)
    return Predictions(
        where=f"{path} on {part.name}",
        ids=np.array(part.ids, object),
        sources=np.unique(part.source_ids, return_inverse=True)[1].astype(np.int64),
        labels=part.labels.numpy(),
        groups=part.groups.numpy(),
        predicted=part.labels.numpy(),
        probabilities=None,
        class_names=part.class_names,
        group_names=part.group_names,
        notes=(*model.notes, *notes),
        model=model.reading,
        design=part.design,
    )
