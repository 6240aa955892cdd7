"""What a network's outputs mean: logits or probabilities, and which of them belongs to which class."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError
from fairdistill.models.ending import LINEAR, last_operation
from fairdistill.models.outputs import class_logits, raw_outputs, with_two_columns

OutputKind = Literal["logits", "probabilities"]

_OUTSIDE = 1e-4
_SUM = 4e-3  # bfloat16 has eight bits: a sum of rounded probabilities is off by less
_LOWEST = torch.finfo(torch.float32).tiny
_HIGHEST = 1 - torch.finfo(torch.float32).eps / 2  # the largest float32 below 1


def output_kind(outputs: Tensor, ending: str | None = None) -> OutputKind:
    """Return what a network's outputs are.

    They are probabilities if all lie in [0, 1] and either each row sums to 1 (a softmax), or the network ends in a
    sigmoid, or there is one output per sample. One output of a linear layer is a probability only if some samples lie
    above 1/2 and some below: a poor model's logits can all be small.

    Args:
        outputs: ``[N, C]``, of as many samples as possible.
        ending: the network's last operation, see :func:`~fairdistill.models.ending.last_operation`.

    Example:
        >>> output_kind(torch.tensor([[0.9, 0.1], [0.2, 0.8]])), output_kind(torch.tensor([[0.9, 0.2], [2.0, 0.8]]))
        ('probabilities', 'logits')
    """
    outputs = outputs.float()
    if not len(outputs) or _outside(outputs):
        return "logits"
    if outputs.shape[1] == 1:
        both = bool((outputs < 0.5).any()) and bool((outputs >= 0.5).any())
        return "probabilities" if both or ending not in LINEAR else "logits"
    return "probabilities" if ending == "sigmoid" or sum_to_one(outputs) else "logits"


def sum_to_one(outputs: Tensor) -> bool:
    """Return whether every row of ``[N, C]`` sums to 1, within the rounding of low precision."""
    return bool(((outputs.float().sum(dim=1) - 1).abs() <= _SUM).all())


def logits_of_probabilities(probabilities: Tensor) -> Tensor:
    """Return logits ``[N, C]``, C >= 2, whose softmax is the given probabilities ``[N, C]``, C >= 1.

    They are ``log p``; one probability of the second class becomes ``(0, log p - log(1 - p))``. Probabilities are
    clamped to the float32 numbers strictly between 0 and 1. Rows that do not sum to 1 are normalized by the softmax.

    Example:
        >>> torch.softmax(logits_of_probabilities(torch.tensor([[0.25], [0.5]])), dim=1)
        tensor([[0.7500, 0.2500],
                [0.5000, 0.5000]])
    """
    if probabilities.shape[1] > 1:
        return probabilities.float().clamp_min(_LOWEST).log()
    positive = probabilities.float().clamp(_LOWEST, _HIGHEST)
    return with_two_columns(positive.log() - torch.log1p(-positive))


def two_classes(logits: Tensor, kind: OutputKind = "logits") -> Tensor:
    """Return logits ``[N, 2]`` of no and yes from the output for one yes/no attribute, ``[N]``.

    Args:
        logits: the logit of a sigmoid; or the logarithm of the probability of yes, if ``kind`` is probabilities.
        kind: what the network's own outputs are.

    Example:
        >>> torch.softmax(two_classes(torch.tensor([0.0, 2.0])), dim=1)
        tensor([[0.5000, 0.5000],
                [0.1192, 0.8808]])
        >>> torch.softmax(two_classes(torch.tensor([0.25]).log(), "probabilities"), dim=1)
        tensor([[0.7500, 0.2500]])
    """
    if kind == "logits":
        return with_two_columns(logits.unsqueeze(1))
    yes = logits.float().exp().clamp_max(_HIGHEST)
    return torch.stack((torch.log1p(-yes), logits.float()), dim=1)


@dataclass(frozen=True)
class OutputReading:
    """How a network's outputs become logits in the order of the data set's classes.

    Attributes:
        kind: what the outputs are in eval mode.
        order: the output that belongs to each class; None if they are in the same order.
        in_training: what they are in training mode, if the network changes them; None: as in eval mode.
    """

    kind: OutputKind = "logits"
    order: tuple[int, ...] | None = None
    in_training: OutputKind | None = None

    def attach(self, network: nn.Module) -> None:
        """Make a network return such logits from now on, wherever it is called; its weights and modules stay as is."""
        if self != OutputReading():
            network.register_forward_hook(self)

    def __call__(self, network: nn.Module, _inputs: object, output: object) -> Tensor:
        """Return the logits ``[N, C]`` of a network's output; this is a forward hook."""
        outputs = raw_outputs(output)
        kind = self.in_training or self.kind if network.training else self.kind
        logits = self._checked(outputs) if kind == "probabilities" else class_logits(outputs)
        return logits if self.order is None else logits[:, list(self.order)]

    @staticmethod
    def _checked(outputs: Tensor) -> Tensor:
        if not torch.is_grad_enabled() and bool(outputs.isfinite().all()) and _outside(outputs):
            value = outputs.flatten()[(outputs.flatten() - 0.5).abs().argmax()]
            raise UsageError(
                f"the network's outputs were taken for probabilities, but one of them is {float(value):.4g}; say "
                "what they are with --model-outputs logits (--teacher-outputs logits for a teacher)"
            )
        return logits_of_probabilities(outputs)


def reading_of(network: nn.Module, *, size: int) -> OutputReading:
    """Return how the outputs of a network without trained weights are read: by the operation that it ends in.

    Some networks end in a softmax in eval mode only, so both modes are tried.

    Args:
        network: any network; its mode and statistics are left as they were.
        size: height and width of its input.
    """
    trial = copy.deepcopy(network).cpu()
    images = torch.zeros(2, 3, size, size)
    kinds: dict[bool, OutputKind] = {}
    for training in (False, True):
        trial.train(training)
        try:
            ending = last_operation(trial, images)
        except Exception:  # a network may raise anything; whoever runs it says so
            return OutputReading()
        kinds[training] = "probabilities" if ending in ("softmax", "sigmoid") else "logits"
        if not training and kinds[training] == "logits":
            return OutputReading()
    return OutputReading(kinds[False], in_training=kinds[True])


def _outside(outputs: Tensor) -> bool:
    """Return whether an output is outside [0, 1] or not finite."""
    return not bool(((outputs >= -_OUTSIDE) & (outputs <= 1 + _OUTSIDE)).all())
