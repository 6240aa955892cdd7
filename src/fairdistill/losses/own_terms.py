"""Whether objects of the user's own code can be the settings of a term, and the term itself."""

from __future__ import annotations

import dataclasses

from torch import nn

from fairdistill.errors import MethodError
from fairdistill.losses.term import Term, TermSpec
from fairdistill.types import TAP_NAMES


def check_spec(spec: object, place: str) -> None:
    """Check that an object is what :class:`TermSpec` describes: a frozen dataclass of numbers.

    Args:
        spec: the object.
        place: where it is from, ``package.module:name``, for messages.

    Raises:
        MethodError: naming what is missing or does not fit.
    """
    kind = type(spec).__name__
    if isinstance(spec, type) or not dataclasses.is_dataclass(spec) or not _is_frozen(spec):
        raise MethodError(f"{place}: expected the settings of a term to be a frozen dataclass, but {kind} is none")
    name = getattr(spec, "name", None)
    if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
        raise MethodError(f"{place}: expected {kind}.name to be the term's name, such as 'center', but it is {name!r}")
    for side in ("student_taps", "teacher_taps"):
        taps = getattr(spec, side, None)
        if not isinstance(taps, frozenset) or not taps <= set(TAP_NAMES):
            raise MethodError(
                f"{place}: expected {kind}.{side} to be a frozenset of features ({', '.join(TAP_NAMES)}), but it is "
                f"{taps!r}"
            )
    if not callable(getattr(spec, "build", None)):
        raise MethodError(f"{place}: {kind} has no build(context), which returns the term")
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MethodError(
                f"{place}: expected the setting {kind}.{field.name} to be a number, but it is {value!r}; write what is "
                "not a setting as a ClassVar"
            )


def check_term(spec: TermSpec, term: object) -> None:
    """Check what the settings of a term have built.

    Raises:
        MethodError: naming what is missing.
    """
    kind = type(term).__name__
    if not isinstance(term, Term):
        raise MethodError(f"the term {spec.name!r}: expected build(context) to return a Term, but it is a {kind}")
    if "_modules" not in vars(term):
        raise MethodError(f"the term {spec.name!r}: {kind}.__init__ must begin with super().__init__()")
    if type(term).forward is Term.forward:
        raise MethodError(f"the term {spec.name!r}: {kind} has no forward(view), which returns its part of the loss")
    if term.own_optimizer and type(term).get_extra_state is nn.Module.get_extra_state:
        raise MethodError(
            f"the term {spec.name!r}: {kind} has an optimizer of its own, whose state a checkpoint must hold; return "
            "it from get_extra_state(), and load it in set_extra_state(state)"
        )


def _is_frozen(spec: object) -> bool:
    return bool(getattr(type(spec), "__dataclass_params__").frozen)  # noqa: B009  # mypy does not know the attribute
