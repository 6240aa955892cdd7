"""Which column of a table may say what is for training and what for testing."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence

_NAMES = ("split", "splits", "datasplit", "subset", "set", "partition", "phase", "usage")
_OTHERS = ("fold", "isvalid", "isval", "istest", "istrain")  # whose values are numbers or bools


def split_column(names: Collection[str], used: Collection[str | None], *, others: bool = False) -> str | None:
    """Return the column that is named as one of splits, unless it is used for something else.

    Args:
        names: the columns of a table.
        used: those that mean something else.
        others: whether a column of folds, or such as ``is_valid``, is one.

    Example:
        >>> split_column(["image", "Data_Split"], ["image"]), split_column(["fold"], []), split_column(["set"], ["set"])
        ('Data_Split', None, None)
    """
    known = (*_NAMES, *_OTHERS) if others else _NAMES
    return named_like(known, [name for name in names if name not in used])


def named_like(words: Iterable[str], names: Sequence[str]) -> str | None:
    """Return the first name with the letters of the first word that has one.

    Example:
        >>> named_like(["split", "set"], ["Set", "Split", "split_2"])
        'Split'
    """
    letters = {letters_of(name): name for name in reversed(names)}
    return next((letters[word] for word in words if word in letters), None)


def letters_of(name: str) -> str:
    """Return the letters of a name in lower case."""
    return "".join(filter(str.isalpha, name.casefold()))


def unread_split(names: Collection[str], used: Collection[str | None]) -> list[str]:
    """Return a note if a column that is not read may hold splits.

    Example:
        >>> unread_split(["image", "is_valid"], ["image"])
        ["Column 'is_valid' may say which images are for training and which for testing; if so, add --split is_valid"]
    """
    found = split_column(names, used, others=True)
    if found is None:
        return []
    return [
        f"Column {found!r} may say which images are for training and which for testing; if so, add --split "
        f"{shlex.quote(found)}"
    ]
