"""Values of a column that look alike, and words that probably mean unknown."""

from __future__ import annotations

import itertools
import math
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

_SHOWN = 5
_COMPARED = 10_000  # names; more are ids or numbers

# Compared in lower case and without surrounding blanks.
_WORDS = frozenset(
    {
        "na", "n/a", "n-a", "n.a", "n.a.", "n\\a", "#n/a", "#na", "<na>", "nan", "none", "null", "<null>", "nil", "nat",
        "?", "??", "???", "-", "--", "---", "\u2013", "\u2014", ".", "..", "unknown", "unk", "<unk>", "undefined",
        "unspecified", "not specified", "unavailable", "not available", "not applicable", "not known", "not stated",
        "not reported", "missing", "no data", "prefer not to say",
    }
)  # fmt: skip

# A class may well be called so.
_NAMES_OF_CLASSES = frozenset({"none", "nil", "unknown", "<unk>", "unk", "-", "--", "---", ".", ".."})

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"), "-")
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u0060\u00b4"), "'")


def _without_blanks(name: str) -> str:
    """Drop blanks of any kind, and characters that are not visible (zero-width blanks, byte-order marks)."""
    return "".join(sign for sign in name if not sign.isspace() and unicodedata.category(sign) != "Cf")


def _one_form(name: str) -> str:
    """Return one form of a text for all ways to write it in Unicode, with plain dashes and quotes.

    Kinds of blanks are kept apart: they are a difference in blanks.
    """
    if name.isascii():
        return name.translate(_QUOTES)
    kept = (
        sign if sign.isspace() else unicodedata.normalize("NFKC", sign) for sign in unicodedata.normalize("NFC", name)
    )
    return unicodedata.normalize("NFC", "".join(kept)).translate({**_DASHES, **_QUOTES})


_DIFFERENCES: Mapping[str, Callable[[str], str]] = {
    "blanks": _without_blanks,
    "upper and lower case": str.casefold,
    "Unicode form": _one_form,
}


def lookalikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that differ only in blanks, upper and lower case, Unicode form, or the way a number is written.

    Example:
        >>> lookalikes(["Female", "female ", "Male", "1", "1.0"])
        [('Female', 'female '), ('1', '1.0')]
    """
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
    return [tuple(same) for same in found.values() if len(same) > 1]


def spelling_notes(names: Sequence[str], rows: Sequence[int], *, column: str, kind: str) -> list[str]:
    """Return notes for names that look alike, and for words that probably mean that there is no value.

    Args:
        names: the different values.
        rows: the number of rows of each.
        column: where they are, for example ``column 'race'``.
        kind: what a value stands for: ``group``, ``class`` or ``source``.

    Example:
        >>> spelling_notes(["F", "f", "?"], [9, 2, 4], column="column 'sex'", kind="group")[1]
        "In column 'sex', '?' (4 rows) counts as a group; if it means unknown, add --unknown '?'"
    """
    count = dict(zip(names, rows, strict=True))
    notes: list[str] = []
    words = [name for name in names if means_unknown(name)]
    if kind == "class":
        words = [name for name in words if name.strip().casefold() not in _NAMES_OF_CLASSES]
    compared = kind != "source" and len(names) <= _COMPARED
    alike = lookalikes(name for name in names if name not in words) if compared else []
    plural = {"group": "groups", "class": "classes", "source": "sources"}[kind]
    for same in alike[:_SHOWN]:
        shown = [_shown(text, count[name]) for name, text in zip(same, _visibly(same), strict=True)]
        notes.append(
            f"In {column}, {_and(shown)} differ only in {_difference(same)} and count as {len(same)} {plural}; if they "
            "mean the same, write them alike"
        )
    if len(alike) > _SHOWN:
        notes.append(f"In {column}, {len(alike) - _SHOWN:,} more sets of {plural} look alike")
    if words:
        shown = [_shown(repr(name), count[name]) for name in words]
        one = len(words) == 1
        counts = f"counts as a {kind}; if it means" if one else f"count as {plural}; if they mean"
        remedy = f"unknown, add --unknown {shlex.quote(','.join(map(_in_list, words)))}"
        if kind == "class":
            remedy = "that there is no label, remove these rows"
        notes.append(f"In {column}, {_and(shown)} {counts} {remedy}")
    return notes


def means_unknown(name: str) -> bool:
    """Return whether a value is a word that people write where they do not know one, for example NA or ?."""
    return name.strip().casefold() in _WORDS


def _key(name: str) -> str:
    """Return a text that is equal for names that look alike."""
    plain = _without_blanks(_one_form(name)).casefold()
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", plain) and math.isfinite(float(plain)):
        return repr(float(plain) + 0.0) if abs(float(plain)) < 2**53 else plain
    return plain


def _difference(names: Sequence[str]) -> str:
    """Return in words how names that look alike differ."""
    for number in range(1, len(_DIFFERENCES) + 1):
        for chosen in itertools.combinations(_DIFFERENCES, number):
            made = set(names)
            for what in reversed(chosen):
                made = {_DIFFERENCES[what](name) for name in made}
            if len(made) == 1:
                return _and([*chosen])
    return "the way a number is written"


def _visibly(names: Sequence[str]) -> list[str]:
    """Return names in quotes, with escapes where they would look the same."""
    shown = [repr(name) for name in names]
    if len({unicodedata.normalize("NFC", one) for one in shown}) < len(shown) or any(map(_foreign, names)):
        return [ascii(name) for name in names]
    return shown


def _foreign(name: str) -> bool:
    """Return whether a name holds a letter of another form of the same look, for example a full-width one."""
    return _one_form(name) != unicodedata.normalize("NFC", name)


def _shown(text: str, rows: int) -> str:
    return f"{text} ({rows:,} row{'' if rows == 1 else 's'})"


def _in_list(name: str) -> str:
    name = name.strip()
    return f'"{name}"' if "," in name else name


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
