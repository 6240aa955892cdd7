"""Running a model with one output for each of several attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fairdistill.auditing.images import read_images
from fairdistill.auditing.options import AuditOptions
from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.models import trust_code
from fairdistill.predictions import Predictions
from fairdistill.predictions.as_deployed import data_options_as_deployed
from fairdistill.predictions.attribute_model import as_attributes, attribute_shares, load_attribute_model
from fairdistill.predictions.model_source import given_for_data, open_run, source_of
from fairdistill.predictions.own_description import own_description
from fairdistill.predictions.trained_model import DeployedModel
from fairdistill.predictions.writing import attribute_columns, named_columns, write_table
from fairdistill.predictions.yes_no import Attribute, attributes_of, of_yes
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import Runtime, choose_runtime
from fairdistill.text.sentences import capitalized


def run_model(
    path: str, label: str, options: AuditOptions
) -> tuple[tuple[Attribute, ...], list[Predictions], list[Predictions | None]]:
    """Run a model on the test images, and on validation images if there are some; see :func:`.audit.audit_attributes`.

    Raises:
        UsageError: for data other than a table, or if the attributes have different test sets.
    """
    trust_code(options.model)
    table = Path(str(options.data))
    own = dict(options.data_options)
    if not table.is_file():
        raise UsageError(f"--label {label}: only a table of images has several attributes, not {options.data}")
    attributes = attributes_of(table, label, options.yes_value, own.get("encoding", options.encoding))
    source = source_of(path, options, **{**given_for_data(str(options.data), own), "classes": None})
    if open_run(source) is not None:
        raise UsageError(f"{path} is a run folder, and no run has several attributes; audit one: --label NAME")
    own = data_options_as_deployed(source, own_description(source).described, str(options.data), own)
    with caller_untouched():
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        parts = [read_images(path, replace(options, data_options=_of(own, each))) for each in attributes]
        tests, validations = ([part[at] for part in parts] for at in (0, 1))
        names = tuple(each.name for each in attributes)
        model = load_attribute_model(source, as_attributes(_same(tests), names), runtime)
        found = _outputs(path, model, [test for test in tests if test is not None], names, runtime)
        validation: list[Predictions | None] = [None] * len(names)
        if all(part is not None for part in validations):
            known = [part for part in validations if part is not None]
            validation = [*_outputs(path, model, known, names, runtime)] if _alike(known) else validation
    if options.predictions_out is not None:
        _write(options.predictions_out, attributes, found)
    return attributes, found, validation


def _of(own: dict[str, Any], attribute: Attribute) -> dict[str, Any]:
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in attribute.classes)
    return {**own, "label": attribute.name, "classes": quoted}


def _alike(parts: Iterable[GroupedDataset]) -> bool:
    return len({part.ids for part in parts}) == 1


def _same(tests: list[GroupedDataset | None]) -> GroupedDataset:
    known = [test for test in tests if test is not None]
    if not _alike(known):
        raise UsageError(
            "the test sets that were drawn for the attributes differ; give the table a column of splits, or read all "
            "rows with --rows all"
        )
    return known[0]


def _outputs(
    path: str, model: DeployedModel, parts: list[GroupedDataset], names: tuple[str, ...], runtime: Runtime
) -> list[Predictions]:
    shares: NDArray[np.float64] = attribute_shares(model, as_attributes(parts[0], names), where=path, runtime=runtime)
    return [of_yes(_labelled(path, model, part), shares[:, at]) for at, part in enumerate(parts)]


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


def _write(out: str, attributes: tuple[Attribute, ...], found: list[Predictions]) -> None:
    columns = named_columns(found[0], label=None)
    for each, said in zip(attributes, found, strict=True):
        assert said.probabilities is not None
        columns[each.name] = [each.classes[label] for label in said.labels.tolist()]
        columns |= attribute_columns(each.name, each.classes, said.predicted, said.probabilities[:, 1])
    write_table(out, columns)
