"""Options: frozen dataclasses, made of groups by inheritance, that a caller may also give as keywords.

``TrainOptions(lr=0.1)`` is flat, as the command line and YAML files are; the class that declares ``lr`` says
that it belongs to the budget. A function that reads only the budget takes that class.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fairdistill.errors import UsageError
from fairdistill.text.meant import did_you_mean

T = TypeVar("T")


def with_keywords(options: type[T], base: T | None, keywords: Mapping[str, Any]) -> T:
    """Return the options of a call: the given ones or the defaults, updated with the keywords.

    Args:
        options: the class.
        base: the options that were given, or None.
        keywords: options by name; they take precedence.

    Raises:
        UsageError: if the base has another type, for an unknown name (the message suggests the closest one), or for a
            value that does not fit.

    Example:
        >>> from fairdistill.auditing import AuditOptions
        >>> with_keywords(AuditOptions, None, {"max_deo_a": 0.05}).max_deo_a
        0.05
        >>> with_keywords(AuditOptions, None, {"max_deo": 0.05})
        Traceback (most recent call last):
        fairdistill.errors.UsageError: AuditOptions has no option 'max_deo'; did you mean 'max_deo_m'?
    """
    check_options(options, base)
    _check_known(options.__name__, _names(options), keywords)
    return options(**keywords) if base is None else dataclasses.replace(base, **keywords)  # type: ignore[type-var]  # a dataclass


def check_options(options: type[Any], base: object) -> None:
    """Raise a UsageError unless what was given as options is an object of their class, or None."""
    if base is not None and not isinstance(base, options):
        raise UsageError(f"expected {options.__name__} or options by name, but got {base!r}")


def split_keywords(verb: str, keywords: Mapping[str, Any], *options: type[Any]) -> tuple[dict[str, Any], ...]:
    """Return the keywords of each options class, for a function that takes the options of several.

    Args:
        verb: the function's name, for the error.
        keywords: options by name.
        options: the classes; a name that two of them have goes to the first.

    Raises:
        UsageError: for a name that none of them has, naming the closest one.

    Example:
        >>> from fairdistill.auditing import AuditOptions
        >>> from fairdistill.tuning import TuneOptions
        >>> split_keywords("tune", {"trials": 8, "max_deo_a": 0.05}, TuneOptions, AuditOptions)
        ({'trials': 8}, {'max_deo_a': 0.05})
    """
    names = [_names(cls) for cls in options]
    _check_known(verb, [name for own in names for name in own], keywords)
    homes = {name: next(at for at, own in enumerate(names) if name in own) for name in keywords}
    return tuple({name: keywords[name] for name, home in homes.items() if home == at} for at in range(len(names)))


def groups_of(options: type[Any]) -> dict[type[Any], list[dataclasses.Field[Any]]]:
    """Return the fields of an options class by the class that declares them, in the order of the fields."""
    found: dict[type[Any], list[dataclasses.Field[Any]]] = {}
    for field in dataclasses.fields(options):
        owner = next(cls for cls in options.__mro__ if field.name in inspect.get_annotations(cls))
        found.setdefault(owner, []).append(field)
    return found


def _names(options: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(options)]


def _check_known(owner: str, known: Sequence[str], keywords: Mapping[str, Any]) -> None:
    for name in keywords:
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"; choose from {', '.join(known)}")
            raise UsageError(f"{owner} has no option {name!r}{hint}")
