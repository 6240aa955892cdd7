"""Which probability column belongs to which class: found by their names, never by their positions alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix

from fairdistill.tables.meaning import FORMS, answer, found_in, plain
from fairdistill.tables.order import number, shared_ends

_OF_PROBABILITY = re.compile(r"^(probability|proba|prob|p)[\W_]+")
_WORD = r"(?<![^\W_]){}(?![^\W_])"
_FULL = {"f": "female", "m": "male"}
_SHORTEST_PART = 3  # letters of a class name that is found inside a longer word


@dataclass(frozen=True)
class ClassColumns:
    """The classes and the column that holds each one's probability.

    Attributes:
        classes: in the order of the columns in the table, or of ``--classes``.
        columns: the column of each class.
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...]


def columns_by_name(columns: Sequence[str], classes: Sequence[str], *, prefix: str = "") -> ClassColumns | None:
    """Return the class of each column; None unless every class is found in the name of exactly one column.

    A name is compared without ``prefix``, then without what all names have in common at their beginnings and ends. If
    this finds nothing, classes that differ in a number belong to the columns that are these numbers, and other classes
    to the only column whose name contains them, or begins as they do. A column that none of the classes belongs to is a
    class of its own, which no sample has.

    Args:
        columns: names of the columns.
        classes: names of the classes that samples have.
        prefix: what all of ``columns`` begin with, as the user says.

    Example:
        >>> columns_by_name(["dog_score", "cat_score"], ["cat", "dog"])
        ClassColumns(classes=('dog', 'cat'), columns=('dog_score', 'cat_score'))
        >>> columns_by_name(["p_male", "p_female"], ["F", "M"], prefix="p_")
        ClassColumns(classes=('M', 'F'), columns=('p_male', 'p_female'))
        >>> columns_by_name(["p_female", "p_male"], ["0", "1"], prefix="p_") is None
        True
    """
    names = [column[len(prefix) :] for column in columns]
    for inner in _cuts(names):
        places = found_in(classes, inner)
        if places is not None:
            return _assigned(columns, classes, places, plain(inner))
    for places in (_numbered(classes, names), _contained(classes, names), _begun(classes, names)):
        if places is not None:
            return _assigned(columns, classes, places, names)
    return None


def _numbered(classes: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the column of each class if both have the same numbers, such as ``class_1`` and ``1``, or ``(1)``."""
    start, end = shared_ends(classes)
    inner = [name[start : len(name) - end] for name in classes]
    if len(classes) != len(names) or any(number(name) is None for name in inner):
        return None
    found = (found_in(inner, cut) for cut in _cuts(names) if all(number(name) is not None for name in cut))
    return next((places for places in found if places is not None), None)


def _begun(classes: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the column of each class if all of one kind are beginnings of the others: ``M`` and ``male``."""
    if len(classes) != len(names):
        return None
    wanted = [_beginning(name) for name in classes]
    for cut in _cuts(names):
        inner = [_beginning(name) for name in cut]
        if not all((*wanted, *inner)):
            continue
        for begins in (str.startswith, _starts):
            found = [[at for at, name in enumerate(inner) if begins(name, own)] for own in wanted]
            if sorted(found) == [[at] for at in range(len(inner))]:
                return tuple(places[0] for places in found)
    return None


def _beginning(name: str) -> str:
    """Return a name to compare the beginning of; nothing if it begins with no letter."""
    form = FORMS[1](name)
    return form if isinstance(form, str) and form[:1].isalpha() else ""


def _starts(name: str, whole: str) -> bool:
    return whole.startswith(name)


def _assigned(
    columns: Sequence[str], classes: Sequence[str], places: Sequence[int], others: Sequence[str]
) -> ClassColumns | None:
    """Return the classes in the order of the columns; None if a column's own name is taken by another class."""
    at = dict(zip(places, classes, strict=True))
    named = tuple(at.get(place, name) for place, name in enumerate(others))
    return ClassColumns(named, tuple(columns)) if len(set(named)) == len(named) else None


def _cuts(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the names without more and more of what they share, first of the beginning, then of the end too.

    No cut goes through a number, and none leaves a name empty.
    """
    start, end = 0, 0
    if len(names) > 1:
        start = len(commonprefix(list(names)))  # noqa: RUF071  # not paths: compared letter by letter
        end = len(commonprefix([name[::-1] for name in names]))  # noqa: RUF071
    for last in range(end + 1):
        for first in range(start + 1):
            inner = [name[first : len(name) - last] for name in names]
            if all(len(name) > first + last for name in names) and not _through_number(names[0], first, last):
                yield inner


def _through_number(name: str, first: int, last: int) -> bool:
    stop = len(name) - last
    return any(0 < at < len(name) and re.fullmatch(r"[\d.]{2}", name[at - 1 : at + 1]) for at in (first, stop))


def _contained(classes: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the only name that contains each class as a word or, failing that, as part of one; None unless all do."""
    form = FORMS[1]
    texts, wanted = [str(form(name)) for name in names], [form(name) for name in classes]
    if not all(isinstance(name, str) for name in wanted):
        return None  # a number may mean anything in a name
    patterns = [_WORD]
    if all(len(str(name)) >= _SHORTEST_PART for name in wanted):
        patterns.append("{}")
    for pattern in patterns:
        found = [_places_of(pattern.format(re.escape(str(name))), texts) for name in wanted]
        if all(len(places) == 1 for places in found) and len({places[0] for places in found}) == len(found):
            return tuple(places[0] for places in found)
    return None


def _places_of(pattern: str, texts: Sequence[str]) -> list[int]:
    return [place for place, text in enumerate(texts) if re.search(pattern, text)]


def class_of_column(column: str, classes: Sequence[str], *, prefix: str = "") -> str | None:
    """Return the only class whose name a single column has, None if there is not exactly one.

    Example:
        >>> class_of_column("p_yes", ["no", "yes"]), class_of_column("score", ["no", "yes"])
        ('yes', None)
        >>> class_of_column("prob_female", ["F", "M"]), class_of_column("final", ["F", "M"])
        ('F', None)
    """
    inner = column[len(prefix) :] if prefix else _OF_PROBABILITY.sub("", column, count=1) or column
    words = [name for name in classes if number(name) is None]
    for found in (
        [name for name in classes if found_in([name], [inner])],
        [name for name in words if _places_of(_WORD.format(re.escape(name.casefold())), [inner.casefold()])],
        [name for name in classes if answer(name) == answer(inner) is not None],
        [
            name
            for name in words
            if (full := _FULL.get(name.casefold())) and _places_of(_WORD.format(full), [inner.casefold()])
        ],
    ):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def contradiction(columns: Sequence[str], classes: Sequence[str], *, prefix: str = "") -> tuple[str, str] | None:
    """Return the first column that is named after another class than the one at its place, and that class.

    Numbers do not count: they may be places.
    """
    words = [name for name in classes if number(name) is None]
    for column, name in zip(columns, classes, strict=True):
        named = class_of_column(column, words, prefix=prefix)
        if named not in (None, name):
            return column, str(named)
    return None
