"""Names that mean the same although they are spelled differently: ``1`` and ``1.0``, ``Yes`` and ``yes``."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from fairdistill.tables.order import number
from fairdistill.tables.printed import unprinted

_WHOLE_FLOAT = re.compile(r"\s*[+-]?\d+([.]0+|,0)\s*")
_NO_WORDS = """false no n neg negative absent none without normal healthy -
    nein non não nao nej nei nee nie ei нет hayır いいえ 否 아니요
    falsch faux falso onwaar fałsz epätosi ложь yanlış nepravda hamis fals"""
_YES_WORDS = """true yes y pos positive present + ja oui si sí sì sim tak kyllä da да evet はい 是 예
    wahr vrai verdadero verdadeiro vero waar prawda tosi истина doğru pravda igaz adevărat"""
_NO: frozenset[Hashable] = frozenset({0.0, -1.0, *_NO_WORDS.split()})
_YES: frozenset[Hashable] = frozenset({1.0, *_YES_WORDS.split()})


def plain(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with whole numbers written as such: ``"1.0"``, as pandas has it, is ``"1"``.

    Names among which there are numbers that are not whole stay as they are.

    Example:
        >>> plain(["0.0", "1.0", "cat"]), plain(["1.0", "2.5"])
        (('0', '1', 'cat'), ('1.0', '2.5'))
    """
    if any(is_fraction(name) for name in names):
        return tuple(names)
    return tuple(map(_as_whole, names))


def _as_whole(name: str) -> str:
    value = float(name.replace(",", ".")) if _WHOLE_FLOAT.fullmatch(name) else math.inf
    return str(round(value)) if math.isfinite(value) else name


def is_fraction(name: str) -> bool:
    """Return whether a name is a number that is not whole."""
    value = number(name.strip().replace(",", ".", 1))
    return value is not None and math.isfinite(value) and value % 1 != 0


def _value(name: str) -> Hashable:
    name = unprinted(name) or name
    value = number(name.strip())
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()) if value is None else float(value)


def _letters(name: str) -> Hashable:
    value = _value(name)
    return value if isinstance(value, float) else re.sub(r"[\W_]+", "", str(value)) or value


def answer(name: str) -> str | None:
    """Return whether a name means ``"yes"`` or ``"no"``, as ``1``, ``true`` and ``pos`` do; None if neither."""
    value = _value(name)
    return "yes" if value in _YES else "no" if value in _NO else None


def no_first(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return two names with the one that means no, if one does, first, or the one that means yes last; others as is.

    Example:
        >>> no_first(("ja", "nein")), no_first(("cat", "dog")), no_first(("glasses", "none"))
        (('nein', 'ja'), ('cat', 'dog'), ('none', 'glasses'))
    """
    answers = [answer(name) for name in names]
    one_sided = len(names) == 2 and answers[0] != answers[1]
    return names[::-1] if one_sided and (answers[0] == "yes" or answers[1] == "no") else names


FORMS: tuple[Callable[[str], Hashable], ...] = (str, _value, _letters)
"""From strict to loose: as written; numbers by value and texts without case, also as Python prints them; letters and
digits alone."""


def found_in(names: Sequence[str], offered: Sequence[str]) -> tuple[int, ...] | None:
    """Return for each name the place of the only offered name that means the same; None unless all have one.

    Two ways of saying yes and no mean the same if there are two names on both sides: ``true`` and ``1``, ``neg`` and
    ``-1``.

    Example:
        >>> found_in(["1", "0"], ["0.0", "1.0"]), found_in(["Cat"], ["cat", "CAT"])
        ((1, 0), None)
        >>> found_in(["-1", "1"], ["neg", "pos"])
        (0, 1)
    """
    for form in FORMS:
        place = _places([form(name) for name in names], [form(name) for name in offered])
        if place is not None:
            return place
    answers, offers = [answer(name) for name in names], [answer(name) for name in offered]
    return _places(answers, offers) if len(offered) == 2 and None not in offers else None


def _places(names: Sequence[Hashable], offered: Sequence[Hashable]) -> tuple[int, ...] | None:
    times = Counter(offered)
    if len(set(names)) < len(names) or any(name is None or times[name] != 1 for name in names):
        return None
    at = {name: place for place, name in enumerate(offered)}
    return tuple(at[name] for name in names)


def alike(names: Iterable[str], offered: Iterable[str]) -> dict[str, str | None]:
    """Return for each name the only offered name that is another spelling of it, None if there is not exactly one.

    Example:
        >>> alike(["Cat ", "DOG"], ["cat", "dog", "Dog"])
        {'Cat ': 'cat', 'DOG': None}
    """
    spelled = [(form, _by_form(form, offered)) for form in FORMS]
    found = {name: next((same[form(name)] for form, same in spelled if form(name) in same), []) for name in names}
    return {name: others[0] if len(others) == 1 else None for name, others in found.items()}


def first_alike(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first name that is another spelling of an earlier one, and that one; None if there is none.

    Example:
        >>> first_alike(["cat", "dog", "Dog"]), first_alike(["cat", "dog"])
        (('Dog', 'dog'), None)
    """
    same = _by_form(_letters, names).values()
    return next(((others[1], others[0]) for others in same if len(others) > 1), None)


def _by_form(form: Callable[[str], Hashable], names: Iterable[str]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for name in names:
        found.setdefault(form(name), []).append(name)
    return found
