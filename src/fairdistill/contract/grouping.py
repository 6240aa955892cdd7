"""Options in groups, named without their groups: on the command line, in YAML and as keywords.

An options class may hold groups of options, each a frozen dataclass of its own with a default. The name of an option is
unique over all groups, so ``--lr`` is ``TrainOptions.budget.lr`` without anybody having to say so.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from fairdistill.errors import UsageError

T = TypeVar("T")


class Leaf(NamedTuple):
    """One option: its group's class, the group's name in the options class (None outside any), and its field."""

    owner: type[Any]
    group: str | None
    field: dataclasses.Field[Any]


def leaves(options: type[Any]) -> dict[str, Leaf]:
    """Return every option of a class by its name, those of its groups too, in the order of the fields."""
    found: dict[str, Leaf] = {}
    kinds = typing.get_type_hints(options)
    for field in dataclasses.fields(options):
        kind = kinds[field.name]
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            found |= {inner.name: Leaf(kind, field.name, inner) for inner in dataclasses.fields(kind)}
        else:
            found[field.name] = Leaf(options, None, field)
    return found


def build(options: type[T], values: Mapping[str, Any], *, base: T | None = None) -> T:
    """Return options with the given values, by the options' own names whatever their groups.

    Args:
        options: the class.
        values: options by name; a group may be given whole, by its own name.
        base: what is not given is taken from here; default: the defaults.

    Raises:
        UsageError: for a name that is no option, naming the closest one, or a value that does not fit.

    Example:
        >>> from fairdistill.auditing import AuditOptions
        >>> build(AuditOptions, {"max_deo_a": 0.05}).max_deo_a
        0.05
    """
    known = leaves(options)
    fields = {field.name: field for field in dataclasses.fields(options)}  # type: ignore[arg-type]  # a dataclass
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name in fields:
            own[name] = value
        elif name in known:
            inner.setdefault(str(known[name].group), {})[name] = value
        else:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; choose from {', '.join(known)}"
            raise UsageError(f"{options.__name__} has no option {name!r}{hint}")
    for group, changes in inner.items():
        before = own.get(group, None if base is None else getattr(base, group))
        kind = next(leaf.owner for leaf in known.values() if leaf.group == group)
        own[group] = kind(**changes) if before is None else dataclasses.replace(before, **changes)
    return options(**own) if base is None else dataclasses.replace(base, **own)  # type: ignore[type-var]  # a dataclass


def changed(options: T, **changes: Any) -> T:
    """Return options with some of them changed, by name whatever their groups."""
    return build(type(options), changes, base=options)


def flat(options: Any) -> dict[str, Any]:
    """Return every option by name, as a YAML file holds them."""
    return {
        name: getattr(options if leaf.group is None else getattr(options, leaf.group), name)
        for name, leaf in leaves(type(options)).items()
    }
