"""What a table of predictions says of several yes/no attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import of_score, read_predictions
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.meaning import plain
from fairdistill.tables.reading import check_column, header, place, read_columns, several
from fairdistill.tables.yes_no import Attribute, attribute_in, check_attributes
from fairdistill.text.lists import listed

_SHOWN = 30  # columns
_STARTS = ("pred_", "p_")  # of the columns with what a model says


def attributes_of(path: Path, options: TableColumns, positive: Mapping[str, str]) -> tuple[Attribute, ...]:
    """Return the attributes that ``--label`` names.

    Args:
        path: the table.
        options: the names of their columns, and the values that mean unknown.
        positive: the value that means yes, by column.

    Raises:
        UsageError: if a column is named twice, or ``positive`` names something else.
        DataError: if a column does not exist, has other than two values, or they seem to be classes of one label.
    """
    names = header(path, options.encoding)
    columns = several(options.label, names)
    for name in columns:
        check_column(path, names, "label", name)
    check_attributes(options.label, columns, positive)
    table = Columns(path, read_columns(path, columns, options.encoding), {}, words_of(options.unknown))
    attributes, yes_of = [], np.zeros(len(table.frame), np.int64)
    for name in columns:
        attribute, answers = attribute_in(table, name, positive.get(name))
        yes_of += answers == 1
        no, yes = plain(attribute.classes)  # 0 and 1, where missing answers made them 0.0 and 1.0
        attributes.append(replace(attribute, classes=(no, yes)).lacking(int((answers < 0).sum())))
    if (yes_of == 1).all() and not any(f"{start}{name}" in names for name in columns for start in _STARTS):
        raise DataError(
            f"{path}: exactly one of {listed(columns, _SHOWN)} is a yes in every row, so these columns seem to be the "
            "classes of one label; write the class into one column, in pandas t['label'] = "
            f"t[{columns!r}].idxmax(axis=1), and name that with --label"
        )
    return tuple(attributes)


def read_attribute(path: Path, options: TableColumns, attribute: Attribute) -> Predictions:
    """Read the predictions of one attribute from the columns ``pred_NAME`` and ``p_NAME``, the probability of a yes.

    Without ``pred_NAME``, a probability of at least one half is a yes. Rows without an answer are left out.

    Raises:
        DataError: if there is neither column; otherwise as :func:`.reading.read_predictions`.
    """
    names, name = header(path, options.encoding), attribute.name
    pred, share = (column if column in names else None for column in (f"{start}{name}" for start in _STARTS))
    if pred is None and share is None:
        raise DataError(
            f"{path} has neither a column 'pred_{name}' (yes or no, in the values of {name!r}) nor 'p_{name}' (the "
            f"probability of {attribute.classes[1]!r}); its columns are {listed(names, _SHOWN)}"
        )
    quoted = ",".join('"' + each.replace('"', '""') + '"' for each in attribute.classes)
    base = replace(options, label=name, prob=None, score=None, pred=None, classes=quoted)
    found = None if pred is None else read_predictions(path, replace(base, pred=pred), recognize=False, answered=True)
    if share is None:
        assert found is not None
        return found
    scored = read_predictions(path, replace(base, score=share), answered=True)
    # What p_NAME means is known.
    scored = replace(scored, notes=tuple(note for note in scored.notes if not note.startswith(of_score(share))))
    if scored.probabilities is None:
        raise _no_probability(path, share, options.encoding)
    if found is None:
        return scored
    return replace(found, probabilities=scored.probabilities, probability_columns=scored.probability_columns)


def _no_probability(path: Path, column: str, encoding: str) -> DataError:
    values = read_columns(path, [column], encoding, numbers=[column])[column].to_numpy()
    row = int(np.flatnonzero((values < 0) | (values > 1))[0])
    return DataError(
        f"{place(path, row)}: column {column!r} has {values[row]:g}, which is not a probability; apply a sigmoid to "
        f"logits, divide percentages by 100, or give only the answers, in a column 'pred_{column.removeprefix('p_')}'"
    )
