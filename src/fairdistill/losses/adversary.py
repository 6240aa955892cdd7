"""Adversarial debiasing: within a class, the logits must not reveal the group.

Zhang, Lemoine and Mitchell, *Mitigating Unwanted Biases with Adversarial Learning* (AIES 2018), with one adversary
per class as in the released code of Jung et al. (CVPR 2021), and the gradient reversal of Ganin et al. (JMLR 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from fairdistill.errors import MethodError
from fairdistill.losses.checks import at_least_float32, check_classes, checked_count, checked_rows, no_autocast
from fairdistill.losses.term import Term, TermContext
from fairdistill.system.eager import Adam
from fairdistill.system.processes import ALONE, World
from fairdistill.types import StepView, TapName


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return value.view_as(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grad, None


def reverse_gradient(value: Tensor, *, strength: float) -> Tensor:
    """Return ``value`` unchanged; the gradient that flows back is multiplied by ``-strength``.

    Example:
        >>> x = torch.tensor(2.0, requires_grad=True)
        >>> reverse_gradient(x, strength=0.5).backward()
        >>> x.grad.item()
        -0.5
    """
    reversed_: Tensor = _ReverseGradient.apply(value, strength)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    return reversed_


class Adversaries(nn.Module):
    """One two-layer network per class that predicts the group from the logits, batched into one module.

    Args:
        num_classes: number of classes C, as many adversaries, and the width of their input.
        num_groups: number of groups G, the width of their output.
        hidden: hidden units of each, with ReLU.

    Shape:
        Input logits ``[N, C]`` and labels ``[N]``, output ``[N, G]``: row n comes from the adversary of class
        ``labels[n]``.
    """

    def __init__(self, num_classes: int, num_groups: int, *, hidden: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.hidden = hidden
        # Drawn as C separate pairs of nn.Linear would be: uniform in +-1/sqrt(inputs).
        self.weight1 = nn.Parameter(_uniform(num_classes, num_classes, hidden, fan_in=num_classes))
        self.bias1 = nn.Parameter(_uniform(num_classes, hidden, fan_in=num_classes))
        self.weight2 = nn.Parameter(_uniform(num_classes, hidden, num_groups, fan_in=hidden))
        self.bias2 = nn.Parameter(_uniform(num_classes, num_groups, fan_in=hidden))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return group logits ``[N, G]``, in at least float32."""
        logits, weight1, bias1, weight2, bias2 = at_least_float32(
            logits, self.weight1, self.bias1, self.weight2, self.bias2
        )
        # All classes' first layers are one matrix product; of the second only the row's own class is needed.
        every = logits @ weight1.transpose(0, 1).flatten(1) + bias1.flatten()
        every = every.view(len(logits), self.num_classes, self.hidden)
        own = every.take_along_dim(labels.view(-1, 1, 1), dim=1)
        hidden = torch.relu(own)
        return torch.baddbmm(bias2[labels].unsqueeze(1), hidden, weight2[labels]).squeeze(1)


def _uniform(*shape: int, fan_in: int) -> Tensor:
    bound = fan_in**-0.5
    return torch.empty(shape).uniform_(-bound, bound)


def losses_by_class(
    adversaries: Adversaries, logits: Tensor, labels: Tensor, groups: Tensor, *, strength: float, world: World = ALONE
) -> Tensor:
    """Return the mean group cross-entropy of each class's rows, ``[C]``; 0 for a class without any.

    The gradient of the logits is reversed and multiplied by ``strength``. Rows whose group is unknown (-1) are ignored.
    If several processes share a batch, this is the process's share: the sum over its rows, divided by the number of all
    rows.
    """
    (logits,) = at_least_float32(logits)
    with no_autocast(logits):
        guessed: Tensor = adversaries(reverse_gradient(logits, strength=strength), labels)
        known = (groups >= 0).to(guessed.dtype)
        each = F.cross_entropy(guessed, groups.clamp_min(0), reduction="none") * known
        empty = guessed.new_zeros(adversaries.num_classes)
        rows = world.sum(empty.index_add(0, labels, known))
        return empty.index_add(0, labels, each) / rows.clamp_min(1)


class AdversaryLoss(nn.Module):
    """Adversarial debiasing as a module: the sum over classes of that class's mean adversary loss.

    Minimize it over the student's and the adversaries' parameters together: the adversaries learn to guess the group
    from the logits, while the gradient that reaches the student is reversed and multiplied by ``strength``. The
    released code trains the adversaries with an optimizer and a learning rate of their own.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.
        hidden: hidden units of each adversary.
        strength: factor of the reversed gradient; it does not change the value of the loss.

    Example:
        >>> loss = AdversaryLoss(num_classes=10, num_groups=2, strength=0.001)
        >>> loss(torch.randn(4, 10), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])).shape
        torch.Size([])
    """

    def __init__(self, *, num_classes: int, num_groups: int, hidden: int = 32, strength: float = 1.0) -> None:
        super().__init__()
        self.num_classes = checked_count("num_classes", num_classes)
        self.num_groups = checked_count("num_groups", num_groups)
        self.strength = strength
        self.adversaries = Adversaries(self.num_classes, self.num_groups, hidden=checked_count("hidden", hidden))

    def forward(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]``, labels ``[N]`` and groups ``[N]``; group -1 takes no part."""
        check_classes(logits, self.num_classes)
        labels, groups = checked_rows(
            len(logits), labels, groups, num_classes=self.num_classes, num_groups=self.num_groups
        )
        return losses_by_class(self.adversaries, logits, labels, groups, strength=self.strength).sum()

    def extra_repr(self) -> str:
        """Return the settings that the adversaries do not show."""
        return f"num_classes={self.num_classes}, strength={self.strength}"


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """Settings of adversarial debiasing."""

    name: ClassVar[str] = "adversary"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    strength: float = 1.0
    """Factor of the reversed gradient: lambda in the supplement's Table 1."""
    lr: float = 0.003
    """The adversaries' own learning rate, with Adam (supplement 1.2)."""
    hidden: int = 32
    """Hidden units of each adversary (released code)."""

    def __post_init__(self) -> None:
        if not self.lr > 0:
            raise MethodError(f"expected adversary.lr to be positive, but got {self.lr}")
        if self.hidden < 1:
            raise MethodError(f"expected adversary.hidden to be at least 1, but got {self.hidden}")

    def build(self, context: TermContext) -> Term:
        """Return the term with its adversaries."""
        return AdversaryTerm(self, context)


class AdversaryTerm(Term):
    """The sum over the classes in the batch of that class's mean adversary loss, unscaled.

    The strength affects only the gradient, so the logged value says how well the groups can be told apart: log G for
    each class if they cannot. The adversaries have an optimizer of their own (Adam), and each has a
    plateau schedule on its own validation loss (factor 0.1, patience 10).
    """

    whole_batch = True
    capturable = True
    own_optimizer = True

    _FACTOR, _PATIENCE, _THRESHOLD = 0.1, 10, 1e-4  # the defaults of torch's ReduceLROnPlateau

    def __init__(self, spec: Adversary, context: TermContext) -> None:
        super().__init__()
        self.spec = spec
        self.adversaries = Adversaries(context.num_classes, context.num_groups, hidden=spec.hidden)
        self._optimizer: Adam | None = None
        self._restored: Any = None
        # Per class: the factor its learning rate was cut to, its best validation loss, evaluations since then.
        self.register_buffer("rate", torch.ones(context.num_classes))
        self.register_buffer("best", torch.full((context.num_classes,), torch.inf))
        self.register_buffer("waited", torch.zeros(context.num_classes, dtype=torch.int64))
        self.rate: Tensor
        self.best: Tensor
        self.waited: Tensor
        self._cut = False

    @property
    def optimizer(self) -> Adam:
        """The adversaries' own optimizer, made when first used, once the parameters are on their device."""
        if self._optimizer is None:
            self._optimizer = Adam(self.adversaries.parameters(), lr=self.spec.lr)
            if self._restored:
                self._optimizer.load_state_dict(self._restored["optimizer"])
        return self._optimizer

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return self._by_class(view).sum()

    def _by_class(self, view: StepView) -> Tensor:
        logits, strength = view.student["logits"], self.spec.strength
        return losses_by_class(self.adversaries, logits, view.labels, view.groups, strength=strength, world=view.world)

    def begin_step(self) -> None:
        """Clear the adversaries' gradients."""
        self.optimizer.zero_grad(set_to_none=True)

    def end_step(self) -> None:
        """Step the adversaries, each at its own rate."""
        if not self._cut:
            self.optimizer.step()
            return
        parameters = list(self.adversaries.parameters())
        before = [parameter.detach().clone() for parameter in parameters]
        self.optimizer.step()
        with torch.no_grad():
            for parameter, old in zip(parameters, before, strict=True):
                rate = self.rate.view(-1, *[1] * (parameter.ndim - 1))
                parameter.copy_(torch.where(rate == 1, parameter, old + rate * (parameter - old)))

    def validate(self, view: StepView) -> None:
        """Cut the rate of each adversary whose validation loss has not improved for ten evaluations."""
        with torch.no_grad():
            loss = self._by_class(view)
        judged = torch.bincount(view.labels[view.groups >= 0], minlength=view.num_classes) > 0
        better = judged & (loss < self.best * (1 - self._THRESHOLD))
        self.best = torch.where(better, loss, self.best)
        self.waited = torch.where(better, 0, self.waited + judged)
        cut = self.waited > self._PATIENCE
        self.rate = torch.where(cut, self.rate * self._FACTOR, self.rate)
        self.waited = torch.where(cut, 0, self.waited)
        self._cut = bool((self.rate < 1).any())

    def get_extra_state(self) -> dict[str, Any]:
        """Return what ``state_dict`` must hold besides tensors: the optimizer's state."""
        return {"optimizer": self.optimizer.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take the optimizer's state from a checkpoint."""
        self._restored = state
        if self._optimizer is not None:
            self._optimizer.load_state_dict(state["optimizer"])
        self._cut = bool((self.rate < 1).any())
