"""The classes of a table's rows: one column of classes, or several yes/no attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.attributes import Attributes, combined
from fairdistill.errors import UsageError
from fairdistill.tables.columns import Columns, listed
from fairdistill.tables.reading import several
from fairdistill.tables.spelling import spelling_notes
from fairdistill.tables.yes_no import attribute_in, check_attributes

if TYPE_CHECKING:
    from fairdistill.data.own.table import TableOptions


@dataclass(frozen=True)
class Classes:
    """The classes of N rows.

    Attributes:
        labels: int64 ``[N]``.
        names: one name per class.
        attributes: what the classes say of several attributes, if that is what they are.
        notes: what was assumed, one sentence each.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    attributes: Attributes | None = None
    notes: tuple[str, ...] = ()


def label_columns_of(options: TableOptions, names: Sequence[str]) -> list[str]:
    """Return the columns that ``--label`` names, of a table with these columns.

    Raises:
        UsageError: if options for one column were given with several, or the other way round.
    """
    columns = several(options.label, list(names))
    if len(columns) > 1:
        check_attributes(options.label, columns, options.yes_value)
        if options.classes is not None:
            raise UsageError(
                f"--classes {options.classes} orders the classes of one column, but --label {options.label} names "
                f"{len(columns)} yes/no attributes; say which value means yes with --yes-value"
            )
    elif options.yes_value:
        name, value = next(iter(options.yes_value.items()))
        raise UsageError(
            f"--yes-value {name}={value} applies to several columns in --label, but {options.label} is one; name its "
            "classes in their order with --classes"
        )
    return columns


def classes_of(columns: Columns, named: Sequence[str], stored: Mapping[str, str], options: TableOptions) -> Classes:
    """Return the classes of a table's rows.

    Args:
        columns: the table; notes on the spelling of classes are added to its own.
        named: the columns of classes.
        stored: the order of classes that the file stores, by column.
        options: of the data set.
    """
    if len(named) > 1:
        return _of_attributes(columns, named, options)
    (column,) = named
    order = options.classes or stored.get(column)
    labels, names = columns.codes(column, "label", order=order)
    if column not in options.bin:
        rows = np.bincount(labels, minlength=len(names)).tolist()
        columns.notes += spelling_notes(names, rows, column=f"column {column!r}", kind="class")
    if order is None or options.classes is not None:
        return Classes(labels, names)
    note = f"the classes and their order are those stored in the file: {', '.join(listed(order))}"
    return Classes(labels, names, notes=(note,))


def _of_attributes(columns: Columns, named: Sequence[str], options: TableOptions) -> Classes:
    found = [attribute_in(columns, name, options.yes_value.get(name)) for name in named]
    labels, attributes = combined(named, [each.classes for each, _ in found], [codes for _, codes in found])
    notes = tuple(note for each, _ in found for note in each.notes)
    return Classes(labels, attributes.class_names, attributes, notes)
