"""Ranges of numbers, such as of ages, as people write them in several ways and spreadsheets turn them into dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fairdistill.text.numbers import counted

_UNIT = r"\s*(years?|yrs?|y\.?o?|jahre|ans|años|anni|anos|jaar|år|лет)?( old)?"
_BETWEEN = re.compile(rf"(\d+)\s*(?:-|–|—|~|to|bis|à|a|until|through)\s*(\d+){_UNIT}")
_MORE = r"(?:[+]|plus|(?:and|or|&) (?:over|older|above|more|up))"
_FROM = re.compile(rf"(?:>=|≥|from|ab|at least)\s*(\d+){_UNIT}|(\d+){_UNIT}\s*{_MORE}")
_MONTHS = (
    "jan ene gen", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag maj", "jun juin giu", "jul juil lug",
    "aug août ago", "sep sept set", "oct okt out ott", "nov", "dec déc dez dic",
)  # fmt: skip
_MONTH = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_NAME = rf"({'|'.join(sorted(_MONTH, key=len, reverse=True))})\.?"
_DATE = re.compile(rf"{_NAME}[- ]0?(\d{{1,2}})|0?(\d{{1,2}})\.?[- ]{_NAME}")


def range_of(name: str) -> tuple[int | None, ...] | None:
    """Return the ends of a range of whole numbers, None for an end that is open; None if a name is no range.

    Example:
        >>> range_of("18-25"), range_of("18 to 25 years"), range_of("65+"), range_of("65 and over"), range_of("adult")
        ((18, 25), (18, 25), (65, None), (65, None), None)
    """
    text = name.strip().casefold()
    if found := _BETWEEN.fullmatch(text):
        return int(found[1]), int(found[2])
    if found := _FROM.fullmatch(text):
        return int(found[1] or found[4]), None
    return None


def date_notes(names: Sequence[str], rows: Mapping[str, int], *, column: str) -> list[str]:
    """Return a note if a value among ranges is one that a spreadsheet turned into a date: 10-19 into 19-Oct.

    Args:
        names: the different values.
        rows: the number of rows of each.
        column: where they are, for example ``column 'age'``.

    Example:
        >>> date_notes(["0-9", "19-Oct", "20-29"], {"0-9": 4, "19-Oct": 3, "20-29": 2}, column="column 'age'")
        ["In column 'age', '19-Oct' (3 rows) is probably '10-19', which a spreadsheet took for a date; correct it"]
    """
    if not any(_BETWEEN.fullmatch(name.strip()) for name in names):
        return []
    found = {name: date for name in names if (date := _DATE.fullmatch(name.strip().casefold()))}
    return [
        f"In {column}, {name!r} ({counted(rows[name], 'row')}) is probably {_meant(date)!r}, which a spreadsheet took "
        "for a date; correct it"
        for name, date in found.items()
    ]


def _meant(date: re.Match[str]) -> str:
    month, day = _MONTH[date[1] or date[4]], int(date[2] or date[3])
    return f"{min(month, day)}-{max(month, day)}"
