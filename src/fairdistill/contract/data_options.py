"""Keywords of a call that may also be options of a data set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fairdistill.contract.options import with_keywords

T = TypeVar("T")


def with_data_keywords(options: type[T], base: T | None, keywords: Mapping[str, Any], own: Collection[str]) -> T:
    """Return the options of a call whose keywords may also be the data set's own options.

    Args:
        options: the class; it has a field ``data_options``.
        base: the options that were given, or None.
        keywords: options by name.
        own: names of the data set's own options; one that the class has too belongs to the data set.

    Raises:
        UsageError: for a name that neither of them has.

    Example:
        >>> from fairdistill.inspecting import InspectOptions
        >>> with_data_keywords(InspectOptions, None, {"accuracy": 0.9, "skew": 0.5}, ["skew"]).data_options
        {'skew': 0.5}
    """
    of_data = {name: value for name, value in keywords.items() if name in own}
    given = with_keywords(options, base, {name: value for name, value in keywords.items() if name not in of_data})
    if not of_data:
        return given
    return replace(given, data_options={**given.data_options, **of_data})  # type: ignore[attr-defined,type-var]  # a dataclass
