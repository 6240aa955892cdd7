"""Values that probably stand for a row of totals, as spreadsheets and pivot tables add them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fairdistill.text.lists import joined
from fairdistill.text.numbers import counted

_TOTAL = re.compile(
    r"((grand|sub|row|column)[- ]?)?totals?( g[eé]n[eé]ral)?|sums?|all|overall|gesamt(ergebnis|summe)?|summe|insgesamt"
    r"|ensemble|totale|totaal|eindtotaal|totalt|summa|suma|razem|итого|всего|合計|総計|总计|總計|合计|합계|총계"
)
_KEPT = re.compile(r"all|overall|ensemble|sums?|suma|summa")  # names that classes may well have


def means_total(name: str, *, kind: str = "group") -> bool:
    """Return whether a value is a word for a total.

    Args:
        name: the value.
        kind: what it stands for: ``group``, or ``class``, which may well be called ``all``.

    Example:
        >>> means_total("Grand Total"), means_total("all"), means_total("all", kind="class")
        (True, True, False)
    """
    text = name.strip(" *():").casefold()
    return _TOTAL.fullmatch(text) is not None and (kind == "group" or _KEPT.fullmatch(text) is None)


def totals_note(names: Sequence[str], rows: Mapping[str, int], *, column: str, kind: str) -> list[str]:
    """Return a note if some values stand for totals and count as groups or classes all the same.

    Args:
        names: the different values.
        rows: the number of rows of each.
        column: where they are, for example ``column 'race'``.
        kind: what a value stands for: ``group`` or ``class``.

    Example:
        >>> totals_note(["F", "M", "Total"], {"F": 9, "M": 9, "Total": 2}, column="column 'sex'", kind="group")
        ["In column 'sex', 'Total' (2 rows) counts as a group; if it stands for totals, remove these rows"]
    """
    found = [name for name in names if means_total(name, kind=kind)]
    if not found:
        return []
    shown = joined([f"{name!r} ({counted(rows[name], 'row')})" for name in found])
    several = "groups" if kind == "group" else "classes"
    one = len(found) == 1
    counts = f"counts as a {kind}; if it stands" if one else f"count as {several}; if they stand"
    these = "this row" if sum(rows[name] for name in found) == 1 else "these rows"
    return [f"In {column}, {shown} {counts} for totals, remove {these}"]
