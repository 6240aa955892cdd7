"""The lists of methods and data sets in help texts, filled in for ``{methods}`` and ``{datasets}``."""

from __future__ import annotations

from fairdistill.data import DATASETS
from fairdistill.method_names import METHOD_NAMES


def filled(text: str) -> str:
    """Return a help text with its placeholders filled in.

    Example:
        >>> filled("one of {datasets}")
        'one of digits-s, cifar10s, utkface, celeba'
    """
    return text.replace("{methods}", ", ".join(METHOD_NAMES)).replace("{datasets}", ", ".join(DATASETS))
