"""The order of classes, groups and files: one for tables, data sets and folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from os.path import commonprefix
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LONGEST_INT = 300  # digits; longer ones do not fit a float, and Python reads at most 4,300 as an int
_WHOLE = re.compile(r"[+-]?\d+")


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
    """Return the number that a text is, as an int if it has no decimals; None if it is not a number."""
    if _WHOLE.fullmatch(text):
        return _whole(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def _whole(text: str) -> float:
    return int(text) if len(text) <= _LONGEST_INT else float(text)  # infinite; equal ones are ordered as texts


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the different names in our order: see :func:`natural`.

    Names that differ only in a number sort by that number, also if it is negative or has decimals.

    Example:
        >>> in_order(["1", "-1"]), in_order(["class_10", "class_9"]), in_order(["0.03", "0.0005"])
        (('-1', '1'), ('class_9', 'class_10'), ('0.0005', '0.03'))
        >>> in_order(["size 0.5 cm", "size 0.25 cm"])
        ('size 0.25 cm', 'size 0.5 cm')
    """
    different = list(set(names))
    start, end = shared_ends(different)
    inner = {name: number(name[start : len(name) - end]) for name in different}
    if all(value is not None for value in inner.values()):
        return tuple(sorted(different, key=lambda name: (inner[name], name)))
    return tuple(sorted(different, key=natural))


def shared_ends(names: Collection[str]) -> tuple[int, int]:
    """Return how many characters all names share at the beginning and at the end, without cutting through a number."""
    if len(names) < 2:
        return 0, 0
    start = len(commonprefix(list(names)))  # noqa: RUF071  # not paths: the prefix is meant letter by letter
    first = next(iter(names))
    while start and first[start - 1] in "0123456789.+-":
        start -= 1
    end = len(commonprefix([name[start:][::-1] for name in names]))  # noqa: RUF071
    while end and first[len(first) - end] in "0123456789.":
        end -= 1
    return start, end


def sorted_differently(names: Collection[str]) -> bool:
    """Return whether Python's ``sorted()``, as in torchvision's ``ImageFolder``, orders the names in another way."""
    return list(in_order(names)) != sorted(set(names))
