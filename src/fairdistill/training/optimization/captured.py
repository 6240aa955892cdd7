"""The forward and backward pass of a step, recorded once as a CUDA graph and then replayed.

A small network keeps a GPU waiting for the processor, which starts hundreds of kernels a step. A replay starts all of
them at once. It reads and writes the same memory each time, so the inputs of a step are copied to where the recorded
one had its own, and its results are copied from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from fairdistill.text.sentences import first_line
from fairdistill.training.optimization.objective import StepLoss
from fairdistill.types import Taps

_EAGER_STEPS = 3  # before the recording, so that libraries have chosen their kernels; three as in PyTorch's manual


@dataclass(frozen=True)
class PassInputs:
    """Everything that changes from step to step in the forward and backward pass.

    Attributes:
        images: ``[N, 3, H, W]``.
        labels: ``[N]``.
        groups: ``[N]``.
        teacher: the teacher's features by name.
        progress: how much of the stage is done, from 0 to 1.
        ramp: the fraction of their strength of terms that start gently.
    """

    images: Tensor
    labels: Tensor
    groups: Tensor
    teacher: Taps
    progress: float
    ramp: float

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors among them, in a fixed order."""
        return (self.images, self.labels, self.groups, *self.teacher.values())

    @property
    def layout(self) -> tuple[object, ...]:
        """What a recording depends on: names, shapes, strides and dtypes."""
        return (*self.teacher, *((each.shape, each.stride(), each.dtype) for each in self.tensors))


Pass = Callable[[PassInputs], StepLoss]
"""Computes the loss, whose total is detached, and adds its gradients to ``grad`` of the parameters."""


class Recorder(Protocol):
    """Records what a device is asked to do: see :class:`CudaGraphs`."""

    def warm_up(self, run: Callable[[], None]) -> None:
        """Run something that will be recorded next."""

    def record(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record without running; return what runs it. Raises RuntimeError for what cannot be recorded."""
        ...


class CudaGraphs:
    """PyTorch's CUDA graphs; the order of streams is that of PyTorch's manual (CUDA semantics, CUDA Graphs)."""

    def warm_up(self, run: Callable[[], None]) -> None:
        """Run on another stream, as recordings do."""
        stream, current = torch.cuda.Stream(), torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            run()
        current.wait_stream(stream)

    def record(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record; the generator of dropout draws new numbers in every replay."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        return graph.replay


@dataclass(frozen=True)
class _Recording:
    """A recorded pass: where it reads its inputs, what runs it, and where it leaves its results."""

    inputs: PassInputs
    progress: Tensor
    ramp: Tensor
    replay: Callable[[], None]
    loss: StepLoss
    gradients: dict[nn.Parameter, Tensor]

    def run(self, inputs: PassInputs) -> StepLoss:
        for static, value in zip(self.inputs.tensors, inputs.tensors, strict=True):
            static.copy_(value)
        self.progress.fill_(inputs.progress)  # unlike a copy from the processor, this waits for nothing
        self.ramp.fill_(inputs.ramp)
        self.replay()
        for parameter, gradient in self.gradients.items():
            parameter.grad = gradient  # an eager step between two replays has dropped it
        loss = self.loss
        parts = {name: part.clone() for name, part in loss.parts.items()}
        teacher_nan = None if loss.teacher_nan is None else loss.teacher_nan.clone()
        return StepLoss(loss.total.clone(), parts, teacher_nan)


class CapturedPasses:
    """Runs passes: the first three of each kind as they are, and the following ones as replays of a recording.

    A kind is a set of loss terms and the shapes of the inputs: a smaller last batch, or another stage, is of another
    kind. A pass that cannot be recorded, since it waits for the GPU's answer, runs as it is from then on.

    Args:
        recorder: records.
        parameters: all that may get a gradient.
        say: called with a message if a pass cannot be recorded.

    Attributes:
        replays: how many passes were replays.
    """

    def __init__(self, recorder: Recorder, parameters: Iterable[nn.Parameter], say: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._parameters = list(parameters)
        self._say = say
        self._seen: dict[tuple[object, ...], int] = {}
        self._recordings: dict[tuple[object, ...], _Recording | None] = {}
        self.replays = 0

    def __call__(self, run: Pass, inputs: PassInputs, *, terms: tuple[str, ...]) -> StepLoss:
        """Return the loss of a pass, whose gradients replace ``grad`` of the parameters; these must be None before.

        Args:
            run: the pass; the same for equal terms.
            inputs: its inputs.
            terms: names of the terms in the loss.
        """
        kind = (terms, *inputs.layout)
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        if seen <= _EAGER_STEPS:
            results: list[StepLoss] = []
            self._recorder.warm_up(lambda: results.append(run(inputs)))
            return results[0]
        if kind not in self._recordings:
            self._recordings[kind] = self._recorded(run, inputs)
        recording = self._recordings[kind]
        if recording is None:
            return run(inputs)
        self.replays += 1
        return recording.run(inputs)

    def _recorded(self, run: Pass, inputs: PassInputs) -> _Recording | None:
        images, labels, groups, *taught = (value.clone() for value in inputs.tensors)
        progress, ramp = (
            torch.full((), value, dtype=torch.float32, device=images.device) for value in (inputs.progress, inputs.ramp)
        )
        teacher = dict(zip(inputs.teacher, taught, strict=True))
        numbers = cast("tuple[float, float]", (progress, ramp))  # arithmetic takes either
        static = PassInputs(images, labels, groups, teacher, *numbers)
        results: list[StepLoss] = []
        try:
            replay = self._recorder.record(lambda: results.append(run(static)))
        except RuntimeError as error:
            for parameter in self._parameters:
                parameter.grad = None
            self._say(f"this step cannot be a CUDA graph and runs without one: {first_line(error)}")
            return None
        gradients = {each: each.grad for each in self._parameters if each.grad is not None}
        return _Recording(static, progress, ramp, replay, results[0], gradients)
