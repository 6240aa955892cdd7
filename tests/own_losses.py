"""Methods as people write them in their own modules, and things that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from fairdistill.losses import CrossEntropy, Term, TermContext
from fairdistill.methods import Method
from fairdistill.types import StepView


@dataclass(frozen=True)
class Small:
    """Keeps logits small."""

    name: ClassVar[str] = "small"
    student_taps: ClassVar[frozenset[str]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[str]] = frozenset()

    strength: float = 0.5
    power: int = 2

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return SmallTerm(self)


class SmallTerm(Term):
    """Mean power of the logits."""

    def __init__(self, spec: Small) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return self.spec.strength * view.student["logits"].float().abs().pow(self.spec.power).mean()


@dataclass(frozen=True)
class Constant(Small):
    """The same, of logits that are cut off from the student."""

    name: ClassVar[str] = "constant"

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return ConstantTerm(self)


class ConstantTerm(SmallTerm):
    """A value without a gradient."""

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return super().forward(view).detach()


@dataclass(frozen=True)
class GroupMeans:
    """Pulls the groups' mean features together, over a batch that several processes may share."""

    name: ClassVar[str] = "group_means"
    student_taps: ClassVar[frozenset[str]] = frozenset({"embedding"})
    teacher_taps: ClassVar[frozenset[str]] = frozenset()

    strength: float = 0.1
    shift: float = -0.5

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return GroupMeansTerm(self)


class GroupMeansTerm(Term):
    """Variance, over the groups, of their mean features."""

    whole_batch = True

    def __init__(self, spec: GroupMeans) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return this process's share of the scalar loss."""
        features, groups = view.gather(view.student["embedding"]).float(), view.gather(view.groups)
        means = [features[groups == group].mean(0) for group in groups.unique()]
        return self.spec.strength * torch.stack(means).var(0, correction=0).sum() / view.world.size


ready = Small(strength=3.0)
balanced = Method("mine", (CrossEntropy(), Small()), sampler="balanced")  # type: ignore[arg-type]  # taps are names
sorted_ = Method("mine", (CrossEntropy(),), sampler="sorted")  # type: ignore[arg-type]  # on purpose
number = 3


@dataclass
class Changeable:
    """Settings that can be changed."""

    student_taps: ClassVar[frozenset[str]] = frozenset()


class Plain:
    """No dataclass."""

    student_taps = frozenset({"logits"})


@dataclass(frozen=True)
class Nameless(Small):
    """A name that no option can have."""

    name: ClassVar[str] = "my loss"


@dataclass(frozen=True)
class Elsewhere(Small):
    """Reads a feature that there is not."""

    teacher_taps: ClassVar[frozenset[str]] = frozenset({"penultimate"})


@dataclass(frozen=True)
class Textual(Small):
    """A setting that is no number."""

    mode: str = "mean"


@dataclass(frozen=True)
class Unset(Small):
    """A setting without a default value."""

    def __init__(self, strength: float) -> None:
        object.__setattr__(self, "strength", strength)


@dataclass(frozen=True)
class Unbuilt:
    """No build."""

    name: ClassVar[str] = "unbuilt"
    student_taps: ClassVar[frozenset[str]] = frozenset()
    teacher_taps: ClassVar[frozenset[str]] = frozenset()
    build: ClassVar[Any] = None


no_class_loss = Method("mine", (Small(),))  # type: ignore[arg-type]  # taps are names
misnamed = Method("mine", (Small(),), class_loss="focal")  # type: ignore[arg-type]  # taps are names
no_comma = Method("mine", (Small()))  # type: ignore[arg-type]  # on purpose
no_comma_in_warmup = Method("mine", (CrossEntropy(),), warmup=Small())  # type: ignore[arg-type]  # on purpose
twice = Method("mine", (CrossEntropy(), Small(), ready))  # type: ignore[arg-type]  # taps are names
in_both_stages = Method("mine", (CrossEntropy(), Small()), warmup=(ready,))  # type: ignore[arg-type]  # taps are names


@dataclass(frozen=True)
class Taken(Small):
    """A name of another term."""

    name: ClassVar[str] = "ce"
