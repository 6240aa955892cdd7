"""The order of classes, groups and files: one for tables, data sets and folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from os.path import commonprefix
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LONGEST_INT = 300  # digits; longer ones do not fit a float, and Python reads at most 4,300 as an int
_WHOLE = re.compile(r"[+-]?\d+")
_NUMBERED = re.compile(r"(\D*)(\d{1,9})(\D*)")
_SIGNS = ("+", "-", "\N{MINUS SIGN}", "\N{EN DASH}")
_MINUS = str.maketrans("\N{MINUS SIGN}\N{EN DASH}", "--")


def natural(text: str) -> tuple[Any, ...]:
    """Return a sort key that orders numbers by value: ``"9"`` before ``"10"``, ``"-1"`` before ``"1"``.

    A text that is a number sorts by its value, so ``"0.0005"`` comes before ``"0.03"``. In other texts each run of
    digits sorts by value: ``"img2"`` before ``"img10"``. Different texts have different keys, so the order never
    depends on the file system: ``"01"`` comes before ``"1"``.
    """
    value = number(text)
    if value is not None:
        return ((0, value, ""),), text
    parts = [part for part in re.split(r"(\d+)", text) if part]
    return tuple((0, _whole(part), "") if part.isdecimal() else (1, 0, part) for part in parts), text


def number(text: str) -> float | None:
    """Return the number that a text is, as an int if it has no decimals; None if it is not a number.

    A minus may be typeset, as in ``"\N{MINUS SIGN}1"``.
    """
    text = text.translate(_MINUS)
    if _WHOLE.fullmatch(text):
        return _whole(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def places(names: Sequence[str]) -> list[int] | None:
    """Return the whole numbers that names are or, failing that, differ in alone; None if there are none.

    Example:
        >>> places(["1", "0"]), places(["LABEL_1", "LABEL_0"]), places(["-1", "1"]), places(["A1", "B2"])
        ([1, 0], [1, 0], None, None)
    """
    if all(name.isdecimal() for name in names):
        return [int(name) for name in names]
    parts = [part for name in names if (part := _NUMBERED.fullmatch(name))]
    ends = {part.group(1, 3) for part in parts}
    if len(parts) < len(names) or len(ends) != 1 or not any(map(str.isalpha, parts[0][1])):
        return None
    return [int(part[2]) for part in parts]


def _whole(text: str) -> float:
    return int(text) if len(text) <= _LONGEST_INT else float(text)  # infinite; equal ones are ordered as texts


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the different names in our order: see :func:`natural`.

    Names that differ only in a number sort by that number, also if it is negative or has decimals. A hyphen after a
    letter or digit is no minus.

    Example:
        >>> in_order(["1", "-1"]), in_order(["class_10", "class_9"]), in_order(["0.03", "0.0005"])
        (('-1', '1'), ('class_9', 'class_10'), ('0.0005', '0.03'))
        >>> in_order(["size 0.5 cm", "size 0.25 cm"]), in_order(["grade-2", "grade-10"]), in_order(["t -1", "t -2"])
        (('size 0.25 cm', 'size 0.5 cm'), ('grade-2', 'grade-10'), ('t -2', 't -1'))
    """
    different = list(set(names))
    start, end = shared_ends(different)
    inner = {name: _number_after(name[:start], name[start : len(name) - end]) for name in different}
    if all(value is not None for value in inner.values()):
        return tuple(sorted(different, key=lambda name: (inner[name], name)))
    return tuple(sorted(different, key=natural))


def _number_after(beginning: str, text: str) -> float | None:
    return None if text[:1] in _SIGNS and _joins(beginning) else number(text)


def _joins(beginning: str) -> bool:
    """Return whether what follows a beginning is joined to a word or number, so that a sign there is a hyphen."""
    return beginning[-1:].isalnum() and not re.search(r"\d[eE]$", beginning)  # 1e-3


def shared_ends(names: Collection[str]) -> tuple[int, int]:
    """Return how many characters all names share at the beginning and at the end, without cutting through a number."""
    if len(names) < 2:
        return 0, 0
    start = len(commonprefix(list(names)))  # noqa: RUF071  # not paths: the prefix is meant letter by letter
    first = next(iter(names))
    while start and first[start - 1] in "0123456789.":
        start -= 1
    if start and first[start - 1] in _SIGNS and not _joins(first[: start - 1]):
        start -= 1
    end = len(commonprefix([name[start:][::-1] for name in names]))  # noqa: RUF071
    while end and first[len(first) - end] in "0123456789.":
        end -= 1
    return start, end


def sorted_differently(names: Collection[str]) -> bool:
    """Return whether Python's ``sorted()``, as in torchvision's ``ImageFolder``, orders the names in another way."""
    return list(in_order(names)) != sorted(set(names))
