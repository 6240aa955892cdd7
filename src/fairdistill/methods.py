"""Methods as sums of loss terms, a sampler and a warm-up stage; the trainer never sees a method's name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from fairdistill import paper
from fairdistill.contract import present_names
from fairdistill.errors import MethodError
from fairdistill.losses import (
    DKD,
    KD,
    MFD,
    RKD,
    SP,
    Adversary,
    AttentionTransfer,
    CrossEntropy,
    DomainIndependent,
    GapReg,
    GroupDRO,
    Hint,
    NeuronSelectivity,
    Reweight,
    SelfMFD,
    TermSpec,
)
from fairdistill.losses.own_terms import check_spec
from fairdistill.models.own_code import as_module, own_code
from fairdistill.models.trust import check_trusted
from fairdistill.text.lists import joined
from fairdistill.text.meant import did_you_mean
from fairdistill.types import TapName

SamplerName = Literal["shuffled", "balanced", "unbalanced"]


@dataclass(frozen=True)
class Method:
    """How a student is trained: the terms of the loss, the sampler, and an optional warm-up stage.

    Methods can be added: their terms are joined (equal terms once), a sampler other than ``shuffled`` and a class loss
    other than ``ce`` take precedence, and warm-up stages are joined.

    Attributes:
        name: the canonical name, parts joined by ``+``.
        terms: the summands of the loss.
        sampler: ``shuffled``; ``balanced`` over subgroups; or ``unbalanced``, which shuffles for terms that correct for
            the sizes of the subgroups themselves.
        warmup: the summands of the loss in a first stage; empty for no such stage.
        minimax: whether a term plays against the student. Such a game has no first stage, so a sum with one moves its
            partner's warm-up terms into the main loss (supplement 1.3).
        class_loss: the classification loss; anything other than ``ce`` replaces cross-entropy.

    Example:
        >>> (METHODS["ss"] + METHODS["hkd"]).name
        'ss+hkd'
        >>> [term.name for term in (METHODS["ad"] + METHODS["fitnet"]).terms]
        ['ce', 'adversary', 'kd', 'hint']
        >>> [term.name for term in (METHODS["dro"] + METHODS["hkd"]).terms]
        ['dro', 'kd']
    """

    name: str
    terms: tuple[TermSpec, ...]
    sampler: SamplerName = "shuffled"
    warmup: tuple[TermSpec, ...] = ()
    minimax: bool = False
    class_loss: str = "ce"

    def __add__(self, other: Method) -> Method:
        """Return the sum; see the class.

        Raises:
            MethodError: if the samplers or the classification losses conflict, or a term has two settings; the message
                names both parts.
        """
        name = _in_order([*self.name.split("+"), *other.name.split("+")])
        samplers = {self.sampler, other.sampler} - {"shuffled"}
        if len(samplers) > 1:
            raise MethodError(
                f"cannot add {self.name!r} and {other.name!r}: their samplers differ "
                f"({self.sampler} and {other.sampler})"
            )
        class_losses = {self.class_loss, other.class_loss} - {"ce"}
        if len(class_losses) > 1:
            raise MethodError(
                f"cannot add {self.name!r} and {other.name!r}: each replaces cross-entropy with a loss of "
                f"its own ({self.class_loss} and {other.class_loss})"
            )
        _joined(self, other, self.all_terms, other.all_terms)  # a term has one setting in both stages
        terms = _joined(self, other, self.terms, other.terms)
        warmup = _joined(self, other, self.warmup, other.warmup)
        minimax = self.minimax or other.minimax
        if minimax:
            terms, warmup = _joined(self, other, terms, warmup), ()
        sampler = samplers.pop() if samplers else "shuffled"
        class_loss = class_losses.pop() if class_losses else "ce"
        if class_loss != "ce":
            terms = tuple(term for term in terms if term.name != "ce")
        return Method(name, terms, sampler, warmup, minimax, class_loss)

    @property
    def all_terms(self) -> tuple[TermSpec, ...]:
        """The terms of both stages, without duplicates."""
        return tuple(dict.fromkeys((*self.warmup, *self.terms)))

    @property
    def student_taps(self) -> frozenset[TapName]:
        """The student's features that the terms read."""
        return frozenset().union(*(term.student_taps for term in self.all_terms))

    @property
    def teacher_taps(self) -> frozenset[TapName]:
        """The teacher's features that the terms read; empty if no teacher is needed."""
        return frozenset().union(*(term.teacher_taps for term in self.all_terms))

    @property
    def settings(self) -> dict[str, float]:
        """Every setting of every term by ``term.setting``."""
        return {
            f"{term.name}.{field.name}": getattr(term, field.name)
            for term in self.all_terms
            for field in dataclasses.fields(term)  # type: ignore[arg-type]  # every TermSpec is a dataclass
        }

    def with_settings(self, settings: Mapping[str, Any]) -> Method:
        """Return the method with some settings replaced, by ``term.setting``.

        Raises:
            MethodError: if no term of this method has such a setting; the message lists the available ones.
        """
        for key, value in settings.items():
            if key not in self.settings:
                known = ", ".join(sorted(self.settings)) or "none"
                raise MethodError(f"method {self.name!r} has no setting {key!r}; it has: {known}{self._in_terms(key)}")
            ours = key.partition(".")[0] in _BUILT_IN  # others may be below 0
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not number or (ours and value < 0):
                kind = "number of at least 0" if ours else "finite number"
                raise MethodError(f"expected setting {key!r} to be a {kind}, but got {value!r}")
            if isinstance(self.settings[key], int) and int(value) != value:
                raise MethodError(f"expected setting {key!r} to be a whole number, but got {value!r}")

        def changed(term: TermSpec) -> TermSpec:
            own = {
                key.partition(".")[2]: type(self.settings[key])(value)
                for key, value in settings.items()
                if key.partition(".")[0] == term.name
            }
            return replace(term, **own) if own else term  # type: ignore[type-var]  # every TermSpec is a dataclass

        return replace(self, terms=tuple(map(changed, self.terms)), warmup=tuple(map(changed, self.warmup)))

    def _in_terms(self, key: str) -> str:
        """Return whose setting it may be if it is written with a method's name, as ``ad.strength``; else nothing."""
        name, _, setting = key.partition(".")
        ours = {term.name for term in self.all_terms} - {"ce"}
        terms = [term.name for term in METHODS[name].all_terms if term.name in ours] if name in METHODS else []
        if not terms or name in terms:
            return ""
        right = [f"{term}.{setting}" for term in terms if f"{term}.{setting}" in self.settings]
        of = f"the term of {name!r} is" if len(terms) == 1 else f"the terms of {name!r} are"
        return f". {of.capitalize()} {joined(terms)}{': use ' if right else ''}{' or '.join(right)}"


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("scratch", (CrossEntropy(),)),
        Method("ss", (CrossEntropy(),), sampler="balanced"),
        Method("reweight", (Reweight(),), sampler="unbalanced", class_loss="reweight"),
        Method("dro", (GroupDRO(),), sampler="balanced", class_loss="dro"),
        Method("di", (DomainIndependent(),), class_loss="di"),
        Method("ad", (CrossEntropy(), Adversary()), minimax=True),
        Method("hkd", (CrossEntropy(), KD())),
        Method("dkd", (CrossEntropy(), DKD())),
        Method("fitnet", (CrossEntropy(), KD()), warmup=(Hint(),)),
        Method("at", (CrossEntropy(), AttentionTransfer())),
        Method("nst", (CrossEntropy(), NeuronSelectivity())),
        Method("rkd", (CrossEntropy(), RKD())),
        Method("sp", (CrossEntropy(), SP())),
        Method("mfd", (CrossEntropy(), MFD()), sampler="balanced"),
        Method("mfd-self", (CrossEntropy(), SelfMFD()), sampler="balanced"),
        Method("gapreg", (CrossEntropy(), GapReg()), sampler="balanced"),
    )
}
"""All methods. Their order is the order of the parts in a sum's canonical name; ``METHOD_NAMES`` repeats it."""


_BUILT_IN = {spec.name: type(spec) for method in METHODS.values() for spec in method.all_terms}


def canonical(name: str) -> str:
    """Return the canonical name of a sum: parts in a fixed order, without duplicates and without ``scratch``.

    Raises:
        MethodError: if a part is not a method; the message lists the available ones.

    Example:
        >>> canonical("HKD+ss")
        'ss+hkd'
    """
    found = parts(name)
    for part in found:
        if part not in METHODS and not is_own_method(part):
            hint = did_you_mean(part, METHODS, otherwise=".")
            raise MethodError(
                f"unknown method {part!r}{hint} Choose one of {', '.join(METHODS)}, or a sum, for example ss+hkd, or "
                "MODULE:NAME for one of your own"
            )
    return _in_order(found)


def parts(name: str) -> list[str]:
    """Return the parts of a sum, as written but for case and spaces; names of your own code keep their case.

    Example:
        >>> parts("SS + my_losses:Center")
        ['ss', 'my_losses:Center']
    """
    stripped = [part.strip() for part in name.split("+")]
    return [part if is_own_method(part) else part.lower() for part in stripped]


def is_own_method(part: str) -> bool:
    """Return whether a part of a sum is the user's own code, ``package.module:name``."""
    return ":" in part


def folder_name(name: str) -> str:
    """Return a method's name as part of a folder's name.

    Example:
        >>> folder_name("ss+my_losses:Center")
        'ss+my_losses.Center'
    """
    return name.replace(":", ".")


def parse(name: str, *, data: str, settings: Mapping[str, Any] | None = None) -> Method:
    """Return a method or a sum by name, with the paper's hyperparameters for a data set.

    A row of the supplement's Table 1 uses that row's values. In any other sum, each part uses its own row's.

    Args:
        name: for example ``"mfd"`` or ``"ad+fitnet"``; order and case do not matter. A part ``package.module:name`` is
            of your own code: a :class:`Method`, or the settings of a term, which is added to cross-entropy.
        data: the data set's name; data sets that are not in Table 1 use the CIFAR-10S column.
        settings: values by ``term.setting`` that replace the paper's.

    Raises:
        MethodError: for an unknown part or setting, parts that do not fit together, or code that is no method.
        UsageError: for code that cannot be imported, or that the user has not named.

    Example:
        >>> parse("ss+hkd", data="cifar10s").settings["kd.temperature"]
        3.0
        >>> parse("mfd", data="digits-s", settings={"mfd.strength": 7}).settings["mfd.strength"]
        7.0
    """
    row = canonical(name)
    settings = present_names(settings or {})
    of_row = paper.settings(row, data)
    total: Method | None = None
    for part in row.split("+"):
        method = _own(part) if is_own_method(part) else METHODS[part]
        found = paper.settings(part, data) if of_row is None else of_row
        method = method.with_settings({k: v for k, v in (found or {}).items() if k in method.settings})
        method = method.with_settings({k: v for k, v in settings.items() if k in method.settings})
        total = method if total is None else total + method
    assert total is not None
    return total.with_settings(settings)


def _own(place: str) -> Method:
    """Return a method of the user's own code, by its place."""
    module, _, name = place.partition(":")
    if not all(each.isidentifier() for each in (*module.split("."), name)) or module.endswith(".py"):
        raise MethodError(
            f"cannot read the method {place!r}: expected MODULE:NAME, for example my_losses:Center for Center in "
            f"my_losses.py{as_module(place)}"
        )
    check_trusted(place, kind="method")
    found = own_code(place, kind="method", wanted="a Method or the settings of a term", fits=_is_method)
    if isinstance(found, type):
        try:
            found = found()
        except TypeError as error:
            raise MethodError(f"{place}: give every setting a default value ({error})") from None
    method = found if isinstance(found, Method) else Method(place, (CrossEntropy(), found))
    if method.sampler not in get_args(SamplerName):
        raise MethodError(f"{place}: its sampler must be {' or '.join(get_args(SamplerName))}, not {method.sampler!r}")
    if not (isinstance(method.terms, tuple) and isinstance(method.warmup, tuple)):
        raise MethodError(f"{place}: its terms and its warmup must be tuples, such as (CrossEntropy(),)")
    terms = (*method.warmup, *method.terms)
    for spec in terms:
        check_spec(spec, place)
        if not isinstance(spec, _BUILT_IN.get(spec.name, type(spec))):
            raise MethodError(f"{place}: {spec.name!r} is the name of a term that there is already; choose another")
        other = next(each for each in terms if each.name == spec.name)
        if other != spec:
            raise MethodError(f"{place}: two of its terms have the name {spec.name!r}: {other} and {spec}")
    if method.class_loss not in {spec.name for spec in terms}:
        raise MethodError(
            f"{place}: none of its terms ({', '.join(spec.name for spec in terms)}) is its class_loss, "
            f"{method.class_loss!r}; name the one that classifies, or add CrossEntropy()"
        )
    return replace(method, name=place)


def _is_method(found: object) -> bool:
    return isinstance(found, Method) or hasattr(found, "student_taps")


def _in_order(names: Sequence[str]) -> str:
    known = [part for part in METHODS if part in names and part != "scratch"]
    others = [part for part in dict.fromkeys(names) if part not in METHODS]
    return "+".join([*known, *others]) or "scratch"


def _joined(
    left: Method, right: Method, first: tuple[TermSpec, ...], second: tuple[TermSpec, ...]
) -> tuple[TermSpec, ...]:
    joined = tuple(dict.fromkeys((*first, *second)))
    by_name: dict[str, TermSpec] = {}
    for term in joined:
        other = by_name.setdefault(term.name, term)
        if other is not term:
            raise MethodError(
                f"cannot add {left.name!r} and {right.name!r}: both have the term {term.name!r}, "
                f"with different settings ({other} and {term}); set it with --set {term.name}.SETTING=VALUE"
            )
    return joined
