"""Several yes/no attributes of the same samples: their columns in tables, and which of two classes is the yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.table import TableColumns, read_predictions
from fairdistill.tables.columns import Columns
from fairdistill.tables.reading import check_column, header, read_columns, several
from fairdistill.text.lists import listed

_YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "present", "positive", "ja", "oui"})
_SHOWN = 5


@dataclass(frozen=True)
class Attribute:
    """One yes/no attribute of a table.

    Attributes:
        name: of its column.
        classes: its two values, the one that means no first.
        notes: what was assumed about that.
    """

    name: str
    classes: tuple[str, str]
    notes: tuple[str, ...] = ()


def names_several(label: str | None, path: str | Path, encoding: str) -> bool:
    """Return whether ``--label`` names several columns of a table."""
    if label is None or "," not in label:
        return False
    place = Path(path)
    return not place.is_file() or label not in header(place, encoding)


def attributes_of(path: Path, label: str, positive: Mapping[str, str], encoding: str) -> tuple[Attribute, ...]:
    """Return the attributes that ``--label`` names.

    Args:
        path: the table.
        label: the names of their columns, comma-separated.
        positive: the value that means yes, by column.
        encoding: of the table.

    Raises:
        UsageError: if a column is named twice, or ``positive`` names something else.
        DataError: if a column does not exist, is empty in a row, or has other than two values.
    """
    names = header(path, encoding)
    columns = several(label, names)
    for name in columns:
        check_column(path, names, "label", name)
        if columns.count(name) > 1:
            raise UsageError(f"--label {label} names the column {name!r} twice")
    for name in positive:
        if name not in columns:
            raise UsageError(f"--yes-value {name}={positive[name]}: {name!r} is not among the columns of --label")
    table = Columns(path, read_columns(path, columns, encoding), {})
    return tuple(_attribute(table, name, positive.get(name)) for name in columns)


def _attribute(table: Columns, name: str, positive: str | None) -> Attribute:
    _, values = table.codes(name, "label")
    if len(values) != 2:
        raise DataError(
            f"{table.path}: column {name!r} has {len(values):,} different values ({listed(values, _SHOWN)}); several "
            f"attributes at once are yes or no each, so audit it alone: --label {name}"
        )
    if positive is not None:
        if positive not in values:
            raise UsageError(f"--yes-value {name}={positive}: the column has only {' and '.join(values)}")
        return Attribute(name, _with_last(values, positive))
    meant = [value for value in values if value.strip().casefold() in (_YES | {name.strip().casefold()})]
    if len(meant) == 1:
        return Attribute(name, _with_last(values, meant[0]))
    said = f"{values[1]!r} of {values[0]!r} and {values[1]!r} was taken for the yes of {name}"
    return Attribute(name, (values[0], values[1]), (f"{said}; change that with --yes-value",))


def _with_last(values: Sequence[str], last: str) -> tuple[str, str]:
    return next(value for value in values if value != last), last


def read_attribute(path: Path, options: TableColumns, attribute: Attribute) -> Predictions:
    """Read the predictions of one attribute from the columns ``pred_NAME`` and ``p_NAME``, the probability of a yes.

    Without ``pred_NAME``, a probability of at least one half is a yes.

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
    found = None if pred is None else read_predictions(path, replace(base, pred=pred), recognize=False)
    if share is None:
        assert found is not None
        return found
    scored = read_predictions(path, replace(base, score=share))
    known = f"Samples with {share} of at least"  # what p_NAME means is not assumed here
    scored = replace(scored, notes=tuple(note for note in scored.notes if not note.startswith(known)))
    if scored.probabilities is None:
        raise DataError(f"{path}: column {share!r} holds values outside [0, 1], which are not probabilities")
    if found is None:
        return scored
    return replace(found, probabilities=scored.probabilities, probability_columns=scored.probability_columns)


def of_yes(labelled: Predictions, yes: NDArray[np.float64]) -> Predictions:
    """Return predictions with other outputs: the probability of a yes, float64 ``[N]``; a yes from one half on."""
    return replace(labelled, predicted=(yes >= 0.5).astype(np.int64), probabilities=np.stack((1 - yes, yes), axis=1))
