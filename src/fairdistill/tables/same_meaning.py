"""Values of a column that may mean the same: yes and 1, M and male, Asian/White and White/Asian."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fairdistill.tables.meaning import answer
from fairdistill.tables.ranges import range_of
from fairdistill.text.lists import joined
from fairdistill.text.numbers import counted

_DASHES = re.compile(r"[\W_]+")
_BETWEEN = re.compile(r"[|;,/&+]")
_FEMALE_WORDS = """female females woman women féminin féminine femme femmes weiblich frau frauen mujer mujeres femenino
    femenina feminino mulher femmina femminile donna donne vrouw vrouwen vrouwelijk kvinna kvinnor kvinne kvinde nainen
    kobieta kobiety женщина женский kadın 女 女性 여 여성 여자 أنثى"""
_MALE_WORDS = """male males man men masculin homme hommes männlich mann männer hombre hombres masculino masculina homem
    maschio maschile uomo uomini mannelijk mannen män mand mies mężczyzna mężczyźni мужчина мужской erkek 男 男性 남
    남성 남자 ذكر"""
_SEXES = (frozenset(_FEMALE_WORDS.split()), frozenset(_MALE_WORDS.split()))
_SHORTEST = 3  # letters of a word that a single letter is short for
_SHOWN = 5
_ROW = "row"


def same_meaning_notes(names: Sequence[str], rows: Mapping[str, int], *, column: str, kinds: str) -> list[str]:
    """Return notes on values that may mean the same.

    These are yes, no, female and male in several words each, letters beside words that they begin, ``a/b`` and ``b/a``,
    and ranges of numbers.

    Args:
        names: the different values.
        rows: the number of rows of each.
        column: where they are, for example ``column 'race'``.
        kinds: what values stand for: ``groups`` or ``classes``.

    Example:
        >>> rows = {"F": 3, "male": 4, "M": 5}
        >>> same_meaning_notes(["F", "male", "M"], rows, column="column 'sex'", kinds="groups")[0]
        "In column 'sex', 'M' (5 rows) and 'male' (4 rows) count as 2 groups; if they mean the same, write them alike"
    """
    answers = {meant: [name for name in names if answer(name) == meant] for meant in ("yes", "no")}
    sets = [*answers.values()] if all(len(same) > 1 for same in answers.values()) else []
    plain = {name: name.strip().casefold() for name in names}
    letters = [name for name in names if len(plain[name]) == 1 and plain[name].isalpha()]
    short = [[name, *_begun(name, plain)] for name in letters if len(_begun(name, plain)) == 1]
    joint: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        joint.setdefault(_parts(name), []).append(name)
    sets += [same for parts, same in joint.items() if len(parts) > 1 and len(same) > 1]
    sets += [[name for name in names if plain[name] in words] for words in _SEXES]
    sets += _same_ranges(names)
    sets = [same for same in sets if len(same) > 1]
    if 2 * len(short) >= len(letters):  # those of an alphabet are classes of their own
        sets += short
    return [
        f"In {column}, {joined([f'{name!r} ({counted(rows[name], _ROW)})' for name in same])} count as {len(same)} "
        f"{kinds}; if they mean the same, write them alike"
        for same in sets[:_SHOWN]
    ]


def _same_ranges(names: Sequence[str]) -> list[list[str]]:
    """Return the names of each range that is written in several ways, not only with another dash."""
    found: dict[tuple[int | None, ...], list[str]] = {}
    for name in names:
        if span := range_of(name):
            found.setdefault(span, []).append(name)
    return [same for same in found.values() if len({_DASHES.sub("-", name.strip()) for name in same}) > 1]


def _begun(letter: str, plain: Mapping[str, str]) -> list[str]:
    """Return the other names that a letter begins; none if one of them is not a word."""
    found = [name for name, text in plain.items() if len(text) > 1 and text.startswith(plain[letter])]
    words = [len(plain[name]) >= _SHORTEST and plain[name].replace(" ", "").isalpha() for name in found]
    return found if all(words) else []


def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a name such as ``Asian/White``, sorted; none unless each has a letter."""
    parts = sorted(part.strip().casefold() for part in _BETWEEN.split(name))
    return tuple(parts) if all(any(map(str.isalpha, part)) for part in parts) else ()
