"""Whether objects of the user's own code can be the settings of a term, the term, and its value; what it may read."""

from __future__ import annotations

import dataclasses
from typing import Literal

from torch import Tensor, nn

from fairdistill.errors import MethodError
from fairdistill.losses.term import Term, TermSpec
from fairdistill.types import TAP_NAMES, StepView, TapName, Taps


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
    if term.learns_alone() and type(term).get_extra_state is nn.Module.get_extra_state:
        raise MethodError(
            f"the term {spec.name!r}: {kind} has an optimizer of its own, whose state a checkpoint must hold; return "
            "it from get_extra_state(), and load it in set_extra_state(state)"
        )


def checked(name: str, value: object) -> Tensor:
    """Return the value of a term.

    Raises:
        MethodError: if it is not a scalar tensor.
    """
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    what = f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    raise MethodError(f"the term {name!r} returned {what}; expected a scalar tensor, such as a mean over the samples")


def declared(view: StepView, spec: TermSpec) -> StepView:
    """Return what a term may look at: only those features that its settings declare.

    Looking up another one raises a :class:`MethodError` that says how to declare it: it may be there in one network or
    beside one method and not in another.
    """
    return dataclasses.replace(
        view, student=_Declared(view.student, spec, "student"), teacher=_Declared(view.teacher, spec, "teacher")
    )


class _Declared(dict[TapName, Tensor]):
    """The features of one network that a term declares."""

    def __init__(self, taps: Taps, spec: TermSpec, side: Literal["student", "teacher"]) -> None:
        self._spec, self._side = spec, side
        super().__init__({name: taps[name] for name in self._names() if name in taps})

    def _names(self) -> frozenset[TapName]:
        return self._spec.student_taps if self._side == "student" else self._spec.teacher_taps

    def __missing__(self, name: TapName) -> Tensor:
        if name not in TAP_NAMES:
            raise KeyError(name)
        names = ", ".join(f'"{each}"' for each in TAP_NAMES if each == name or each in self._names())
        raise MethodError(
            f"the term {self._spec.name!r} reads the {self._side}'s {name!r} without declaring it; write in "
            f"{type(self._spec).__name__}: {self._side}_taps = frozenset({{{names}}})"
        )


def _is_frozen(spec: object) -> bool:
    return bool(getattr(type(spec), "__dataclass_params__").frozen)  # noqa: B009  # mypy does not know the attribute
