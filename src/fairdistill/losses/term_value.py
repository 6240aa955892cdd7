"""The value of a term in a step: it reads the features that its settings declare, and returns a scalar."""

from __future__ import annotations

import dataclasses
from typing import Literal

from torch import Tensor, nn

from fairdistill.errors import MethodError
from fairdistill.losses.term import TermSpec
from fairdistill.types import TAP_NAMES, StepView, TapName, Taps


def term_value(term: nn.Module, spec: TermSpec, view: StepView) -> Tensor:
    """Return what a term computes from a step.

    Raises:
        MethodError: if it is not a scalar tensor, or the term reads a feature that its settings do not declare.
    """
    return scalar_value(spec.name, term(view_of_declared_taps(view, spec)))


def scalar_value(name: str, value: object) -> Tensor:
    """Return the value of a term.

    Raises:
        MethodError: if it is not a scalar tensor.
    """
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    what = f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    raise MethodError(f"the term {name!r} returned {what}; expected a scalar tensor, such as a mean over the samples")


def view_of_declared_taps(view: StepView, spec: TermSpec) -> StepView:
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
