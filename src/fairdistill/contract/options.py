"""Options: frozen dataclasses, made of groups by inheritance, that a caller may also give as keywords.

``TrainOptions(lr=0.1)`` is flat, as the command line and YAML files are; the class that declares ``lr`` says
that it belongs to the budget. A function that reads the budget alone takes that class.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from fairdistill.errors import UsageError

T = TypeVar("T")


def with_keywords(options: type[T], base: T | None, keywords: Mapping[str, Any]) -> T:
    """Return the options of a call: the given ones or the defaults, with what was given as keywords.

    Args:
        options: the class.
        base: the options that were given, or None.
        keywords: options by name; they win.

    Raises:
        UsageError: for a name that is no option, naming the closest one, or a value that does not fit.

    Example:
        >>> from fairdistill.auditing import AuditOptions
        >>> with_keywords(AuditOptions, None, {"max_deo_a": 0.05}).max_deo_a
        0.05
        >>> with_keywords(AuditOptions, None, {"max_deo": 0.05})
        Traceback (most recent call last):
        fairdistill.errors.UsageError: AuditOptions has no option 'max_deo'; did you mean 'max_deo_m'?
    """
    known = [field.name for field in dataclasses.fields(options)]  # type: ignore[arg-type]  # a dataclass
    for name in keywords:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"
            raise UsageError(f"{options.__name__} has no option {name!r}; {hint}")
    return options(**keywords) if base is None else dataclasses.replace(base, **keywords)  # type: ignore[type-var]  # a dataclass


def groups_of(options: type[Any]) -> dict[type[Any], list[dataclasses.Field[Any]]]:
    """Return the fields of an options class by the class that declares them, in the order of the fields."""
    found: dict[type[Any], list[dataclasses.Field[Any]]] = {}
    for field in dataclasses.fields(options):
        owner = next(cls for cls in options.__mro__ if field.name in inspect.get_annotations(cls))
        found.setdefault(owner, []).append(field)
    return found
