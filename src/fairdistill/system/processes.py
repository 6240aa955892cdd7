"""The processes that train one model together; in a run with a single process nothing here has an effect.

``torchrun`` starts them and ``torch.distributed`` connects them. Each works on its part of every batch and computes its
share of the loss; the shares, and therefore their gradients, add up to what one process computes on the whole batch.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.autograd.function import once_differentiable

from fairdistill.errors import TrainingError, UsageError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: this process's number, from 0; the first writes the run folder.
        size: the number of processes.
        device: the device of this one, on which tensors are sent; None if it is the only one.

    Example:
        >>> ALONE.size, ALONE.first, ALONE.gather(torch.ones(2), rows=2)
        (1, True, tensor([1., 1.]))
    """

    rank: int = 0
    size: int = 1
    device: torch.device | None = None

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files and shows progress."""
        return self.rank == 0

    @property
    def own(self) -> slice:
        """The rows of a batch or data set that belong to this process.

        It takes every ``size``-th row, so that each process gets its part of every subgroup of a balanced batch.
        """
        return slice(self.rank, None, self.size)

    def gather(self, own: Tensor, *, rows: int) -> Tensor:
        """Return the rows of all processes in the order of the whole batch.

        Gradients flow to this process's own rows. They are correct if every process computes the same value from the
        rows and takes one ``size``-th of it as its share: then the gradients of all shares with respect to a row are
        equal, and their sum needs no communication.

        Args:
            own: ``[n, ...]``, rows ``rank``, ``rank + size``, ... of the whole.
            rows: number of rows of the whole; shards may differ by one row.
        """
        if self.alone:
            return own
        gathered: Tensor = _Gather.apply(own, self, rows)  # type: ignore[no-untyped-call]  # not annotated in torch
        return gathered

    def sum(self, own: Tensor) -> Tensor:
        """Return the sum over all processes, without gradients."""
        if self.alone:
            return own
        total = own.detach().clone()
        with self._heard():
            distributed.all_reduce(total)
        return total

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in a single message."""
        if self.alone or not tensors:
            return
        total = self.sum(torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors]))
        for tensor, part in zip(tensors, total.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.detach().copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        return flag if self.alone else bool(self.sum(torch.tensor(float(flag), device=self.device)) > 0)

    def from_first(self, value: T) -> T:
        """Return the first process's value."""
        if self.alone:
            return value
        sent = [value]
        with self._heard():
            distributed.broadcast_object_list(sent, src=0)
        return sent[0]

    def wait(self) -> None:
        """Wait until every process is here."""
        if not self.alone:
            with self._heard():
                distributed.barrier()

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # of gloo; NCCL's is one too
            raise TrainingError(
                f"another of the {self.size} processes was lost ({str(error).partition('. ')[0]}); it may have said "
                "why. A run with a checkpoint continues with train --resume RUN"
            ) from error

    def _all_rows(self, own: Tensor, rows: int) -> Tensor:
        most = -(-rows // self.size)
        padded = own.new_zeros(most, *own.shape[1:])
        padded[: len(own)] = own
        every = own.new_empty(self.size, *padded.shape)
        with self._heard():
            distributed.all_gather(list(every.unbind()), padded)
        return every.transpose(0, 1).reshape(most * self.size, *own.shape[1:])[:rows]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, world: World, rows: int) -> Tensor:
        ctx.world = world
        return world._all_rows(own.contiguous(), rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        world: World = ctx.world
        return grad[world.own] * world.size, None, None


ALONE = World()
"""The only process."""


def launched_together() -> int:
    """Return how many processes ``torchrun`` started; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def launched_here() -> int:
    """Return how many of them ``torchrun`` started on this machine; 1 without torchrun."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if launched_together() > 1 else 1


def speaks_here() -> bool:
    """Return whether this process shows what those of this machine do together; always true without torchrun."""
    return launched_together() == 1 or os.environ.get("LOCAL_RANK", "0") == "0"


def join(device: str) -> World:
    """Join the processes that ``torchrun`` started; without torchrun there is only this one.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``; each process on a machine takes a GPU of its own.

    Raises:
        UsageError: if PyTorch was built without torch.distributed, or there are fewer GPUs than processes.
    """
    size = launched_together()
    if size == 1:
        return ALONE
    here = launched_here()
    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    if on_gpu and torch.cuda.device_count() < here:
        raise UsageError(
            f"torchrun started {here} processes on this machine, which has {torch.cuda.device_count()} GPUs; "
            "start as many processes as there are GPUs, or add --device cpu"
        )
    if not distributed.is_available():
        raise UsageError("this PyTorch was built without torch.distributed; train in one process, without torchrun")
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(own)
    if not distributed.is_initialized():  # an earlier training in this process did it
        distributed.init_process_group("nccl" if on_gpu else "gloo", device_id=own if on_gpu else None)
        atexit.register(leave)
    return World(rank=distributed.get_rank(), size=size, device=own)


def leave() -> None:
    """Take leave of the other processes, at the end of this one.

    Threads of gloo that are still there when a process ends may abort it.
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()
