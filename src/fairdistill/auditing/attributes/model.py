"""Running a model with one output for each of several attributes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fairdistill.auditing.images import read_images
from fairdistill.auditing.options import AuditOptions
from fairdistill.errors import UsageError
from fairdistill.models import trust_code
from fairdistill.models.described import Described
from fairdistill.predictions import Predictions
from fairdistill.predictions.as_deployed import data_options_as_deployed
from fairdistill.predictions.attribute_model import attribute_predictions, load_attribute_model, write_attributes
from fairdistill.predictions.model_source import given_for_data, source_of
from fairdistill.predictions.own_description import own_description
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import choose_runtime
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
    own: dict[str, Any] = {**options.data_options, "label": label}
    if not table.is_file():
        raise UsageError(f"--label {label}: only a table of images has several attributes, not {options.data}")
    source = source_of(path, options, **{**given_for_data(str(options.data), own), "classes": None})
    said = own_description(source).described
    own = data_options_as_deployed(source, said, str(options.data), own)
    own["yes_value"] = {**_answers(said, label), **options.yes_value, **own.get("yes_value", {})}
    with caller_untouched():
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        test, validation = read_images(path, replace(options, data_options=own))
        assert test.attributes is not None, "the label names several columns"
        names, answers = test.attributes.names, test.attributes.answers
        model = load_attribute_model(source, test.of_outputs(), runtime)
        found = attribute_predictions(model, test, where=path, runtime=runtime)
        if options.predictions_out is not None:
            write_attributes(
                options.predictions_out, test, {name: _yes(each) for name, each in zip(names, found, strict=True)}
            )
        notes = tuple(map(capitalized, test.notes))
        found = [replace(each, notes=(*each.notes, *notes)) for each in found]
        others: list[Predictions | None] = [None] * len(names)
        if validation is not None:
            others = [*attribute_predictions(model, validation, where=path, runtime=runtime)]
    return tuple(map(Attribute, names, answers)), found, others


def _answers(said: Described, label: str) -> dict[str, str]:
    """Return the values that mean yes to the attributes, as far as the model's own file says so."""
    named = zip(said.class_names or (), said.answers or (), strict=False)
    wanted = [name.strip() for name in label.split(",")]
    return {name: yes for name, (_, yes) in named if name in wanted}


def _yes(predictions: Predictions) -> NDArray[np.float64]:
    assert predictions.probabilities is not None
    return predictions.probabilities[:, 1]
