"""The classes of a table's rows: one column of classes, or several yes/no attributes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.attributes import Attributes, combined
from fairdistill.errors import UsageError
from fairdistill.tables.columns import Columns, names_in
from fairdistill.tables.reading import several
from fairdistill.tables.spelling import spelling_notes
from fairdistill.tables.yes_no import attribute_in, check_attributes
from fairdistill.text.lists import listed

_SHOWN = 8  # names of columns


@dataclass(frozen=True)
class Classes:
    """The classes of N rows.

    Attributes:
        labels: int64 ``[N]``.
        names: one name per class.
        attributes: what the classes say of several attributes, if that is what they are.
        spelling: notes on the names of classes that look alike, one sentence each.
        notes: what was assumed, one sentence each.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    attributes: Attributes | None = None
    spelling: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LabelColumns:
    """The columns of classes of a table, and how they are read.

    Attributes:
        names: the columns: one of classes, or several yes/no attributes.
        order: class names in the order of a model's outputs, comma-separated.
        yes_values: of several columns, the value that means yes, by column.
        bins: where columns of numbers are cut into ranges, by column.
    """

    names: tuple[str, ...]
    order: str | None
    yes_values: Mapping[str, str]
    bins: Mapping[str, str]

    @classmethod
    def named(
        cls, label: str, header: Sequence[str], *, order: str | None, yes_values: Mapping[str, str],
        bins: Mapping[str, str],
    ) -> LabelColumns:  # fmt: skip
        """Return the columns that ``--label`` names, of a table with this header.

        Raises:
            UsageError: if options for one column were given with several, or the other way round.
        """
        names = several(label, list(header))
        if len(names) > 1:
            check_attributes(label, names, yes_values)
            if order is not None:
                raise UsageError(
                    f"--classes {order} orders the classes of one column, but --label {label} names {len(names)} "
                    "yes/no attributes; say which value means yes with --yes-value"
                )
        elif yes_values:
            name, value = next(iter(yes_values.items()))
            raise UsageError(
                f"--yes-value {name}={value} applies to several columns in --label, but {label} is one; name its "
                "classes in their order with --classes"
            )
        return cls(names=tuple(names), order=order, yes_values=yes_values, bins=bins)

    def read(self, columns: Columns, stored: Mapping[str, str]) -> Classes:
        """Return the classes of a table's rows.

        Args:
            columns: the table.
            stored: the order of classes that the file stores, by column.

        Raises:
            DataError: for an empty class.
        """
        if len(self.names) > 1:
            return self._attributes(columns)
        (column,) = self.names
        order = self.order or stored.get(column)
        labels, names = columns.codes(column, "label", order=order)
        spelling = self._spelling(column, labels, names)
        if order is None or self.order is not None:
            return Classes(labels, names, spelling=spelling)
        note = f"the classes and their order are those stored in the file: {', '.join(names_in(order))}"
        return Classes(labels, names, spelling=spelling, notes=(note,))

    def _attributes(self, columns: Columns) -> Classes:
        found = [attribute_in(columns, name, self.yes_values.get(name)) for name in self.names]
        labels, attributes = combined(self.names, [each.classes for each, _ in found], [codes for _, codes in found])
        spelling = (self._spelling(each.name, codes[codes >= 0], each.classes) for each, codes in found)
        notes = tuple(note for each, _ in found for note in each.notes)
        if (np.sum([codes == 1 for _, codes in found], axis=0) == 1).all():
            notes += (
                f"exactly one of {listed(self.names, _SHOWN)} is a yes in every row; if they are the classes of one "
                "label, write the class into one column, and name that with --label",
            )
        return Classes(labels, attributes.class_names, attributes, tuple(itertools.chain(*spelling)), notes)

    def _spelling(self, column: str, labels: NDArray[np.int64], names: Sequence[str]) -> tuple[str, ...]:
        if column in self.bins:
            return ()
        rows = np.bincount(labels, minlength=len(names)).tolist()
        return tuple(spelling_notes(names, rows, column=f"column {column!r}", kind="class"))
