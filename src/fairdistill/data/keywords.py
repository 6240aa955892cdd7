"""Keywords of a call that may also be options of its data set."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fairdistill.contract import check_options, with_keywords
from fairdistill.data.loading import option_names

T = TypeVar("T")


def with_data_keywords(
    options: type[T], base: T | None, keywords: Mapping[str, Any], *, data: str | None = None, but: Collection[str] = ()
) -> T:
    """Return the options of a call; keywords that are the data set's own options go to ``data_options``.

    Args:
        options: the class; it has a field ``data_options``.
        base: the options that were given, or None.
        keywords: options by name.
        data: the data set; default: the one that the keywords, the base or the class names in ``data``.
        but: names that stay with the class; of others that both have, the data set is meant.

    Raises:
        UsageError: for a name that neither of them has, a value that does not fit, or a data set that does not exist.

    Example:
        >>> from fairdistill.inspecting import InspectOptions
        >>> with_data_keywords(InspectOptions, None, {"accuracy": 0.9, "skew": 0.5}, data="digits-s").data_options
        {'skew': 0.5}
    """
    check_options(options, base)
    others, of_data = split_data_keywords(options if base is None else base, keywords, data=data, but=but)
    given = with_keywords(options, base, others)
    if not of_data:
        return given
    return replace(given, data_options={**given.data_options, **of_data})  # type: ignore[attr-defined,type-var]  # a dataclass


def split_data_keywords(
    base: object, keywords: Mapping[str, Any], *, data: str | None = None, but: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keywords that are not options of the data set, and those that are; see :func:`with_data_keywords`."""
    if not keywords:
        return {}, {}
    if data is None:
        data = keywords["data"] if keywords.get("data") is not None else getattr(base, "data", None)
    own = option_names(str(data)) if isinstance(data, str | os.PathLike) else ()  # the class refuses what is neither
    of_data = {name: value for name, value in keywords.items() if name in own and name not in but}
    return {name: value for name, value in keywords.items() if name not in of_data}, of_data
