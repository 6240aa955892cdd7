"""What was probably meant by a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

SIMILAR = 0.8  # of 1, in difflib's measure: a slip of one or two letters, so that resnet34 is not one of resnet18


def did_you_mean(
    wrong: str,
    known: Iterable[str],
    *,
    otherwise: str = "",
    most: int = 1,
    similarity: float = 0.6,
    written: Callable[[str], str] = repr,
) -> str:
    """Return the names most alike to a wrong one, as the end of a sentence.

    Args:
        wrong: what was given.
        known: the names there are.
        otherwise: what to return if none is alike.
        most: how many names to return.
        similarity: how alike a name must be, of 1 (``difflib``'s measure).
        written: how a name is written.

    Example:
        >>> did_you_mean("mdf", ["mfd", "scratch"])
        "; did you mean 'mfd'?"
        >>> did_you_mean("other", ["mfd", "scratch"], otherwise=".")
        '.'
    """
    close = difflib.get_close_matches(wrong, list(known), most, similarity)
    return f"; did you mean {' or '.join(map(written, close))}?" if close else otherwise
