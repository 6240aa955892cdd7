"""What a table of predictions says of several yes/no attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fairdistill.errors import DataError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table import TableColumns, read_predictions
from fairdistill.tables.columns import Columns, words_of
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.tables.yes_no import Attribute, attribute_in, check_attributes


def attributes_of(path: Path, options: TableColumns, positive: Mapping[str, str]) -> tuple[Attribute, ...]:
    """Return the attributes that ``--label`` names.

    Args:
        path: the table.
        options: the names of their columns, and the values that mean unknown.
        positive: the value that means yes, by column.

    Raises:
        UsageError: if a column is named twice, or ``positive`` names something else.
        DataError: if a column does not exist, or has other than two values.
    """
    names = header(path, options.encoding)
    columns = several(options.label, names)
    for name in columns:
        check_column(path, names, "label", name)
    check_attributes(options.label, columns, positive)
    table = Columns(path, read_columns(path, columns, options.encoding), {}, words_of(options.unknown))
    found = (attribute_in(table, name, positive.get(name)) for name in columns)
    return tuple(attribute.lacking(int((answers < 0).sum())) for attribute, answers in found)


def read_attribute(path: Path, options: TableColumns, attribute: Attribute) -> Predictions:
    """Read the predictions of one attribute from the columns ``pred_NAME`` and ``p_NAME``, the probability of a yes.

    Without ``pred_NAME``, a probability of at least one half is a yes. Rows without an answer are left out.

    Raises:
        DataError: if there is neither column; otherwise as :func:`.table.read_predictions`.
    """
    names, name = header(path, options.encoding), attribute.name
    pred, share = (column if column in names else None for column in (f"pred_{name}", f"p_{name}"))
    if pred is None and share is None:
        raise DataError(
            f"{path} has neither a column 'pred_{name}' (yes or no, in the values of {name!r}) nor 'p_{name}' (the "
            f"probability of {attribute.classes[1]!r}); its columns are {', '.join(names)}"
        )
    quoted = ",".join('"' + each.replace('"', '""') + '"' for each in attribute.classes)
    base = replace(options, label=name, prob=None, score=None, pred=None, classes=quoted)
    found = None if pred is None else read_predictions(path, replace(base, pred=pred), recognize=False, answered=True)
    if share is None:
        assert found is not None
        return found
    scored = read_predictions(path, replace(base, score=share), answered=True)
    known = f"Samples with {share} of at least"  # what p_NAME means is not assumed here
    scored = replace(scored, notes=tuple(note for note in scored.notes if not note.startswith(known)))
    if scored.probabilities is None:
        raise DataError(f"{path}: column {share!r} holds values outside [0, 1], which are not probabilities")
    if found is None:
        return scored
    return replace(found, probabilities=scored.probabilities, probability_columns=scored.probability_columns)
