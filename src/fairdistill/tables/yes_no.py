"""Several yes/no attributes of the same samples: their columns in a table, and which of two values is the yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError
from fairdistill.tables.columns import Columns
from fairdistill.tables.meaning import answer
from fairdistill.tables.reading import header
from fairdistill.text.lists import listed

_SHOWN = 5


@dataclass(frozen=True)
class Attribute:
    """One yes/no attribute of a table.

    Attributes:
        name: of its column.
        classes: its two values, the one that means no first.
        notes: what was assumed about that, and how many samples have no answer.
        unanswered: the number of these.
    """

    name: str
    classes: tuple[str, str]
    notes: tuple[str, ...] = ()
    unanswered: int = 0

    def lacking(self, rows: int) -> Attribute:
        """Return the attribute, for which this many samples have no answer."""
        return replace(self, notes=(*self.notes, *left_out(self.name, rows)), unanswered=rows)


def left_out(name: str, rows: int) -> tuple[str, ...]:
    """Return a note if samples have no answer for an attribute.

    Example:
        >>> left_out("glasses", 12)
        ('12 samples have no answer for glasses and were left out there',)
    """
    if not rows:
        return ()
    return (f"{rows:,} {'sample has' if rows == 1 else 'samples have'} no answer for {name} and "
            f"{'was' if rows == 1 else 'were'} left out there",)  # fmt: skip


def names_several(label: str | None, path: str | Path, encoding: str) -> bool:
    """Return whether ``--label`` names several columns of a table."""
    if label is None or "," not in label:
        return False
    place = Path(path)
    return not place.is_file() or label not in header(place, encoding)


def check_attributes(label: str, columns: Sequence[str], yes_values: Mapping[str, str]) -> None:
    """Check the names that ``--label`` and ``--yes-value`` give.

    Args:
        label: the option, for messages.
        columns: the columns it names.
        yes_values: the value that means yes, by column.

    Raises:
        UsageError: if a column is named twice, or ``yes_values`` names another.
    """
    for name in columns:
        if columns.count(name) > 1:
            raise UsageError(f"--label {label} names the column {name!r} twice")
    for name in yes_values:
        if name not in columns:
            raise UsageError(f"--yes-value {name}={yes_values[name]}: {name!r} is not among the columns of --label")


def attribute_in(table: Columns, name: str, yes: str | None) -> tuple[Attribute, NDArray[np.int64]]:
    """Return an attribute of a table, and its answers, int64 ``[N]``: 1 is yes, -1 where the row has none.

    Args:
        table: the table.
        name: of the column.
        yes: the value that means yes, if the user said so.

    Raises:
        UsageError: if the column does not have the value ``yes``.
        DataError: if it has other than two values.
    """
    codes, values = table.codes(name, "label", unknown=True)
    if len(values) < 2:
        only = f"only the value {values[0]!r}" if values else "no value"
        raise DataError(
            f"{table.path}: column {name!r} has {only}; an attribute needs both answers, so leave it out of --label"
        )
    if len(values) != 2:
        raise DataError(
            f"{table.path}: column {name!r} has {len(values):,} different values ({listed(values, _SHOWN)}); several "
            f"attributes at once are yes or no each, so take it alone: --label {name}. Values that mean that there is "
            "no answer are named with --unknown"
        )
    attribute = attribute_of(name, (values[0], values[1]), yes)
    answers = codes if attribute.classes == values else np.where(codes < 0, -1, 1 - codes)
    return attribute, answers


def attribute_of(name: str, values: tuple[str, str], yes: str | None) -> Attribute:
    """Return an attribute with two values, and what was assumed about which means yes.

    Args:
        name: of its column.
        values: the two values.
        yes: the one that means yes, if that is known.

    Raises:
        UsageError: if ``yes`` is neither of them.

    Example:
        >>> attribute_of("glasses", ("glasses", "none"), None).classes
        ('none', 'glasses')
    """
    if yes is not None:
        if yes not in values:
            raise UsageError(
                f"column {name!r} has only {' and '.join(values)}, not {yes}, which --yes-value or the model's file "
                f"names as the yes; name one of the two, for example --yes-value {name}={values[1]}"
            )
        return Attribute(name, _with_last(values, yes))
    called = ("t", name.strip().casefold())
    meant = [value for value in values if answer(value) == "yes" or value.strip().casefold() in called]
    meant = meant or [value for value in values if answer(value) is None]  # the other one may mean no
    if len(meant) == 1:
        return Attribute(name, _with_last(values, meant[0]))
    said = f"{values[1]!r} of {values[0]!r} and {values[1]!r} was taken for the yes of {name}"
    return Attribute(name, values, (f"{said}; change that with --yes-value",))


def _with_last(values: tuple[str, str], last: str) -> tuple[str, str]:
    return values if values[1] == last else (values[1], values[0])
