"""Tables of predictions as ``audit`` reads them."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.contract import check_new_file
from fairdistill.errors import UsageError
from fairdistill.predictions.predictions import Predictions
from fairdistill.system.atomic import replaced

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def check_table_path(path: str | Path, option: str) -> None:
    """Check, before anything is computed, that a table can be written to a path.

    Raises:
        UsageError: if it has another extension than .csv or .tsv, or cannot be written.
    """
    if Path(path).suffix.lower() not in _SEPARATORS:
        raise UsageError(f"cannot write {path}: choose a file that ends in {' or '.join(_SEPARATORS)} with {option}")
    check_new_file(path, option)


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write predictions as a table: id, source_id, label, group, pred and a p_CLASS for each class, with names.

    An unknown group is empty. There is no column for what is not known; and none for sources if none is shared.
    """
    outputs = output_columns(predictions.class_names, predictions.predicted, predictions.probabilities)
    write_table(path, {**named_columns(predictions, label="label"), **outputs})


def named_columns(predictions: Predictions, *, label: str | None) -> dict[str, Iterable[Any]]:
    """Return the columns id, source_id, label and group of predictions; the label's with that name, if one is given."""
    columns: dict[str, Iterable[Any]] = {} if predictions.ids is None else {"id": predictions.ids.tolist()}
    if predictions.num_sources < len(predictions):
        columns["source_id"] = _source_names(predictions)
    if label is not None:
        columns[label] = [predictions.class_names[code] for code in predictions.labels.tolist()]
    groups = (*predictions.group_names, "")  # -1 reads the last
    columns["group"] = [groups[group] for group in predictions.groups.tolist()]
    return columns


def attribute_columns(
    name: str, answers: Sequence[str], predicted: NDArray[np.int64], yes: NDArray[Any]
) -> dict[str, Iterable[Any]]:
    """Return the columns for what a model says of a yes/no attribute: pred_NAME, and p_NAME, the probability of yes."""
    shares = yes.astype(np.float32)
    return {f"pred_{name}": [answers[label] for label in predicted.tolist()], f"p_{name}": list(map(str, shares))}


def output_columns(
    class_names: Sequence[str], predicted: NDArray[np.int64], probabilities: NDArray[Any] | None
) -> dict[str, Iterable[Any]]:
    """Return the columns for what a model says: pred, and a p_CLASS for each class.

    Each probability is written with enough digits to tell it from every other float32.
    """
    columns: dict[str, Iterable[Any]] = {"pred": [class_names[label] for label in predicted.tolist()]}
    if probabilities is not None:
        shares = probabilities.astype(np.float32)
        columns |= {f"p_{name}": map(str, shares[:, at]) for at, name in enumerate(class_names)}
    return columns


def write_table(path: str | Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """Write columns of equal length as a .csv or .tsv file, whole or not at all."""
    target = Path(path)
    with replaced(target) as raw:
        # File names may hold bytes that are not text.
        file = codecs.lookup("utf-8").streamwriter(raw, "backslashreplace")
        writer = csv.writer(file, delimiter=_SEPARATORS[target.suffix.lower()])
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _source_names(predictions: Predictions) -> list[str]:
    """Return a name for each row's source: the id of its first row, or its number."""
    if predictions.ids is None:
        return list(map(str, predictions.sources.tolist()))
    _, first, source = np.unique(predictions.sources, return_index=True, return_inverse=True)
    names: list[str] = predictions.ids[first[source]].tolist()
    return names
