"""Values of a column that look alike, and words that probably mean unknown or a total."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from fairdistill.tables.ranges import date_notes
from fairdistill.tables.same_meaning import same_meaning_notes
from fairdistill.tables.totals import totals_note
from fairdistill.tables.unknown import codes_of_unknown, means_unknown, unknown_option
from fairdistill.text.lists import joined
from fairdistill.text.numbers import counted

_SHOWN = 5
_AFTER_LATIN = "\u0250"
_SURE = 3  # letters of another script that were read as two signs each
COMPARED = 10_000
"""Names that are compared with each other at most; more are ids or numbers."""
_PLURALS = {"group": "groups", "class": "classes", "source": "sources", "attribute": "attributes"}

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-_]+(?=[^\W\d_])")  # between letters: those of HIV- and 10-19 mean something
_DASHES = {**dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"), "-"), 0x2044: "/"}
_QUOTES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u0060\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb"), '"'),
}
_DOTS = re.compile(r"(?<=[^\W\d_])\.+")  # after a letter: that of 1.5 means something
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652]")
_LATIN = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455",
    "ABEKMHOPCTYXIJSabekmhopctyxijs",
)  # of Cyrillic letters that look like them


def _without_blanks(name: str) -> str:
    """Drop blanks of any kind, and characters that are not visible: zero-width blanks, marks, control characters."""
    return "".join(
        sign
        for sign in name
        if not (sign.isspace() or unicodedata.category(sign) in ("Cf", "Cc") or "\ufe00" <= sign <= "\ufe0f")
    )


def _without_punctuation(name: str) -> str:
    """Drop hyphens between letters, dots after letters, and quotes around the whole."""
    inner = name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" else name
    return _DOTS.sub("", _HYPHEN.sub("", inner))


def _in_latin(name: str) -> str:
    return name if name.isascii() else name.translate(_LATIN)


def _without_accents(name: str) -> str:
    """Drop the accents of Latin, Greek and Cyrillic letters and the points of Arabic and Hebrew ones.

    The marks of other scripts are letters themselves.
    """
    if name.isascii():
        return name
    parts = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", parts))


def _decoded(name: str) -> str:
    """Return a UTF-8 text that was read in a Western encoding, ``EuropÃ©en``, as it was meant; others as they are."""
    if name.isascii() or name != name.strip():  # a blank at the end may look like the second half of a letter
        return name
    for encoding in ("cp1252", "latin-1"):
        try:
            meant = name.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if max(meant) < _AFTER_LATIN or len(name) - len(meant) >= _SURE:
            return meant
    return name


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


_CASE = "upper and lower case"
# Applied from the last to the first: dots and quotes have several Unicode forms.
_DIFFERENCES: Mapping[str, Callable[[str], str]] = {
    "blanks": _without_blanks,
    _CASE: str.casefold,
    "punctuation": _without_punctuation,
    "Unicode form": _one_form,
    "accents": _without_accents,
    "letters of another alphabet": _in_latin,
    "encoding": _decoded,
}


def lookalikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names that differ only in how they are written: see ``_DIFFERENCES``, and 1 for 1.0.

    Example:
        >>> lookalikes(["Female", "female ", "Male", "1", "1.0"])
        [('Female', 'female '), ('1', '1.0')]
    """
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
    return [tuple(same) for same in found.values() if len(same) > 1]


def spelling_notes(names: Sequence[str], rows: Sequence[int], *, column: str, kind: str) -> list[str]:
    """Return notes for names that look alike, and for words that probably mean that there is no value, or a total.

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
    words = [name for name in names if means_unknown(name, kind=kind)]
    if kind == "group":
        words += codes_of_unknown(names)
    if kind != "source":
        notes += lookalike_notes([name for name in names if name not in words], count, column=column, kind=kind)
    if kind in ("group", "class"):
        notes += totals_note(names, count, column=column, kind=kind)
        known = [name for name in names if name not in words]
        notes += same_meaning_notes(known, count, column=column, kinds=_PLURALS[kind])
        notes += date_notes(known, count, column=column)
    if words:
        shown = [f"{name!r} ({counted(count[name], 'row')})" for name in words]
        one = len(words) == 1
        counts = f"counts as a {kind}; if it means" if one else f"count as {_PLURALS[kind]}; if they mean"
        remedy = f"unknown, add {unknown_option(words)}"
        if kind == "class":
            remedy = "that there is no label, remove these rows"
        notes.append(f"In {column}, {joined(shown)} {counts} {remedy}")
    return notes


def lookalike_notes(names: Sequence[str], rows: Mapping[str, int], *, column: str, kind: str) -> list[str]:
    """Return notes for names that look alike; there is none if they are too many to compare.

    Sources that differ in nothing but upper and lower case are not noted: it may be all that tells ids apart.

    Args:
        names: the different values.
        rows: the number of rows of each.
        column: where they are.
        kind: what a value stands for, see :func:`spelling_notes`.

    Example:
        >>> lookalike_notes(["7", "7.0"], {"7": 3, "7.0": 2}, column="column 'patient'", kind="source")[0][:61]
        "In column 'patient', '7' (3 rows) and '7.0' (2 rows) differ o"
    """
    if len(names) > COMPARED:
        return []
    alike = [(same, _difference(same)) for same in lookalikes(names)]
    if kind == "source":
        alike = [(same, how) for same, how in alike if how != _CASE]
    most = 1 if kind == "source" else _SHOWN  # all sources are often written in two ways
    notes: list[str] = []
    for same, how in alike[:most]:
        shown = [f"{text} ({counted(rows[name], 'row')})" for name, text in zip(same, _visibly(same), strict=True)]
        notes.append(
            f"In {column}, {joined(shown)} differ only in {how} and count as {len(same)} {_PLURALS[kind]}; if they "
            "mean the same, write them alike"
        )
    more = len(alike) - most
    if more > 0:
        said = f"1 more set of {_PLURALS[kind]} looks" if more == 1 else f"{more:,} more sets of {_PLURALS[kind]} look"
        notes.append(f"In {column}, {said} alike")
    return notes


def _key(name: str) -> str:
    """Return a text that is equal for names that look alike."""
    plain = _in_latin(_without_accents(_without_punctuation(_without_blanks(_one_form(_decoded(name)))))).casefold()
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+", plain):
        plain = plain.replace(",", "")
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
                return joined(chosen)
    return "the way a number is written"


def _visibly(names: Sequence[str]) -> list[str]:
    """Return names in quotes, with escapes where they would look the same."""
    shown = [repr(name) for name in names]
    alike = min(len(set(map(form, names))) for form in (partial(unicodedata.normalize, "NFC"), _in_latin))
    if alike < len(names) or any(map(_foreign, names)):
        return [ascii(name) for name in names]
    return shown


def _foreign(name: str) -> bool:
    """Return whether a name holds a letter of another form of the same look, for example a full-width one."""
    return _one_form(name) != unicodedata.normalize("NFC", name)
