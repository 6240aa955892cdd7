"""Columns that weight the rows of a table, as those of surveys have them."""

from __future__ import annotations

import re
from collections.abc import Collection

from fairdistill.tables.bare_names import bare_name

_WORD = re.compile(
    r"(sample|sampling|case|survey|design|person|population|base|final|stabilized)?(weights?|wgts?|wts)|[paif]weights?"
    r"|(sample|final|per|fnl)w(t|gt)|gewicht(ung)?|poids|pond[eé]ration|ponderaci[oó]n|factorexpansion"
)


def weights_note(names: Collection[str], used: Collection[str | None]) -> list[str]:
    """Return a note if a column that is not used has a name of weights.

    Example:
        >>> weights_note(["label", "Sample Weight"], ["label"])
        ["Column 'Sample Weight' may hold weights of the samples; an audit does not use any, so every row counts once"]
        >>> weights_note(["weight_kg", "height"], [])
        []
    """
    found = next((name for name in names if name not in used and _WORD.fullmatch(bare_name(name))), None)
    if found is None:
        return []
    return [f"Column {found!r} may hold weights of the samples; an audit does not use any, so every row counts once"]
