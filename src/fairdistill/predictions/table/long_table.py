"""A table of predictions with a row for each sample and yes/no attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.reordered import in_class_order
from fairdistill.predictions.rows import REPEATED, repeated_note
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.distinct import distinct
from fairdistill.tables.reading import check_column, header, read_columns
from fairdistill.tables.sources import alone
from fairdistill.tables.spelling import lookalike_notes
from fairdistill.tables.yes_no import Attribute, attribute_of
from fairdistill.text.lists import listed

_SHOWN = 5


def read_long(
    path: Path, options: TableColumns, *, yes_values: Mapping[str, str], column: str
) -> tuple[tuple[Attribute, ...], list[Predictions]]:
    """Return the attributes of a table, and the predictions of each.

    All attributes have the same two answers, those of the label column. Rows without an answer are left out.

    Args:
        path: the table.
        options: what its columns mean.
        yes_values: the answer that means yes, by the name of the label column.
        column: the column that names the attribute of each row.

    Raises:
        UsageError: if the answer that means yes does not occur.
        DataError: for a single attribute, or other than two answers; otherwise as :func:`.reading.read_predictions`.
    """
    offered = header(path, options.encoding)
    check_column(path, offered, "attribute", column)
    check_column(path, offered, "label", options.label)
    texts = read_columns(path, list(dict.fromkeys([column, options.label])), options.encoding)
    table = Columns(path, texts, {}, words_of(options.unknown))
    codes, names = table.codes(column, "attribute")
    if len(names) < 2:
        raise DataError(f"{path}: column {column!r} names a single attribute, {names[0]!r}; drop --attribute")
    rows = np.bincount(codes, minlength=len(names)).tolist()
    alike = lookalike_notes(names, dict(zip(names, rows, strict=True)), column=f"column {column!r}", kind="attribute")
    answered = table.codes(options.label, "label", unknown=True)[0] >= 0
    codes = codes[answered]
    whole = read_predictions(path, options, answered=True)
    answers = whole.class_names
    if len(answers) != 2:
        raise DataError(
            f"{path}: column {options.label!r} has {len(answers):,} different values ({listed(answers, _SHOWN)}); the "
            "attributes of a table with --attribute all have the same two answers, such as 0 and 1"
        )
    yes = yes_values.get(options.label, answers[1] if options.classes is not None else None)
    said = attribute_of(options.label, (answers[0], answers[1]), yes)
    whole = in_class_order(whole, said.classes)
    found = [_of_attribute(whole, np.flatnonzero(codes == code)) for code in range(len(names))]
    samples = None if whole.ids is None else len(set(whole.ids.tolist()))
    attributes: list[Attribute] = []
    for name, of_one, all_rows in zip(names, found, rows, strict=True):
        notes = () if attributes else (*alike, *said.notes)  # said once
        unanswered = max(all_rows if samples is None else samples, all_rows) - len(of_one)
        attributes.append(Attribute(name, said.classes, notes).lacking(unanswered))
    return tuple(attributes), found


def _of_attribute(whole: Predictions, rows: NDArray[np.int64]) -> Predictions:
    """Return the rows of one attribute; of ids, it is said which occur more than once among these.

    Args:
        whole: all rows, where an id occurs once for each attribute.
        rows: those of the attribute, int64 ``[N]``.
    """
    found = whole.take(rows)
    if found.ids is None or found.id_column is None:
        return found
    codes, values = distinct(found.ids)
    codes = alone(codes, np.isin(codes, np.flatnonzero(values == "")))  # rows without an id
    here = repeated_note(codes, found.id_column)
    notes = [here if REPEATED in note else note for note in found.notes]
    return replace(found, notes=tuple(note for note in notes if note is not None))
