"""A model with one output for each of several yes/no attributes: a logit, or a sigmoid, of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.errors import TeacherError
from fairdistill.models.files.weights import WeightsFile
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table.writing import attribute_columns, write_table
from fairdistill.predictions.trained.model import (
    DeployedModel,
    as_predictions,
    finite_logits,
    load_model,
    predictions_of,
)
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.system.runtime import Runtime
from fairdistill.text.lists import joined


def yes_in_words(names: Sequence[str], answers: Sequence[tuple[str, str]]) -> str:
    """Return which value of each attribute means yes, that is, of what the outputs are the probability.

    Example:
        >>> yes_in_words(["smiling", "hat"], [("0", "1"), ("bare", "worn")])
        "the probabilities are those of smiling '1' and hat 'worn'"
    """
    said = [f"{name} {yes!r}" for name, (_, yes) in zip(names, answers, strict=True)]
    return f"the probabilities are those of {joined(said)}"


def load_attribute_model(
    source: ModelSource, data: GroupedDataset, runtime: Runtime, *, file: WeightsFile | None = None
) -> DeployedModel:
    """Load a model with one output for each attribute; see :func:`.trained_model.load_model`.

    Outputs that have names are matched with the attributes by name; others are taken in the order of the attributes.

    Raises:
        TeacherError: if its number of outputs is another, or they are a softmax's.
    """
    model = load_model(source, data, runtime, file=file)
    notes = []
    for note in model.notes:
        if "as after a softmax" in note:
            raise TeacherError(
                f"the outputs of {source.path} sum to 1 for every image, as after a softmax: they are classes that "
                "exclude each other, not attributes; audit one column with --label"
            )
        notes.append(note.replace("; they were divided by their sum", ""))
    return replace(model, notes=tuple(notes))


def shares_of(logits: Tensor, model: DeployedModel) -> NDArray[np.float64]:
    """Return the probability of a yes for each attribute, float64 ``[N, K]``, from a model's logits ``[N, K]``."""
    values = logits.double()
    shares = values.exp() if model.outputs.kind == "probabilities" else values.sigmoid()
    found: NDArray[np.float64] = shares.cpu().numpy()
    return found


def attribute_shares(
    model: DeployedModel, data: GroupedDataset, *, where: str, runtime: Runtime, outputs: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Run a model on every image; return the probability of a yes for each attribute, float64 ``[N, K]``.

    Args:
        model: the model.
        data: the images.
        where: the model, for messages.
        runtime: where it runs.
        outputs: the model's output for each attribute; None: it has just these, in this order.

    Raises:
        TeacherError: if an output is not finite.
    """
    shares = shares_of(finite_logits(model, data, where=where, runtime=runtime), model)
    return shares if outputs is None else shares[:, list(outputs)]


def predictions_of_each(
    model: DeployedModel, data: GroupedDataset, *, where: str, runtime: Runtime
) -> list[Predictions]:
    """Run a model on every image; return its predictions of each attribute, a single one if there are no attributes."""
    if data.attributes is None:
        return [predictions_of(model, data, where=where, runtime=runtime)]
    shares = attribute_shares(model, data.of_outputs(), where=where, runtime=runtime)
    return attribute_predictions(model, data, shares, where=where)


def attribute_predictions(
    model: DeployedModel, data: GroupedDataset, shares: NDArray[np.float64], *, where: str
) -> list[Predictions]:
    """Return the predictions of each attribute of a data set; from a probability of one half on, the answer is yes.

    Images without an answer to an attribute are left out of its predictions.

    Args:
        model: the model.
        data: the images, with several attributes, or with the classes no and yes of one.
        shares: the model's probability of a yes for each attribute, float64 ``[N, K]``.
        where: the model, for messages.
    """
    answered = (data.answers() >= 0).numpy()
    pairs = zip(data.of_attributes(), shares.T, answered.T, strict=True)
    return [_predictions(model, part, yes[rows], where=where) for part, yes, rows in pairs]


def _predictions(model: DeployedModel, data: GroupedDataset, yes: NDArray[np.float64], *, where: str) -> Predictions:
    found = as_predictions(model, data, np.stack((1 - yes, yes), axis=1), where=where)
    return replace(found, predicted=(yes >= 0.5).astype(np.int64))


def write_attributes(path: str | Path, data: GroupedDataset, shares: Mapping[str, NDArray[Any]]) -> None:
    """Write a table as ``audit --label a,b`` reads it: id, source_id, group, and NAME, pred_NAME, p_NAME of each.

    There is no column of sources if no images share one; unknown groups and missing answers are empty.

    Args:
        path: the .csv or .tsv file.
        data: a data set with several attributes.
        shares: the probability of a yes for each attribute, ``[N]``.
    """
    columns: dict[str, Iterable[Any]] = {"id": data.ids}
    if len(set(data.source_ids)) < len(data):
        columns["source_id"] = data.source_ids
    groups = (*data.group_names, "")  # -1 reads the last
    columns["group"] = [groups[group] for group in data.groups.tolist()]
    assert data.attributes is not None
    for (name, yes), pair, codes in zip(shares.items(), data.attributes.answers, data.answers().T, strict=True):
        columns[name] = [(*pair, "")[code] for code in codes.tolist()]
        columns |= attribute_columns(name, pair, (yes >= 0.5).astype(np.int64), yes)
    write_table(path, columns)
