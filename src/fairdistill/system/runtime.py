"""The device and precision of a run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from fairdistill.errors import UsageError
from fairdistill.system.precision import Precision
from fairdistill.system.threads import ThreadCount
from fairdistill.text.sentences import first_line


@dataclass(frozen=True)
class Runtime:
    """A device and the precision of matrix products on it.

    Attributes:
        device: the device of the networks and batches.
        dtype: ``torch.bfloat16`` under autocast, otherwise ``torch.float32``.
    """

    device: torch.device
    dtype: torch.dtype

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context to run networks in."""
        if self.dtype == torch.float32:
            return nullcontext()
        context: AbstractContextManager[None] = torch.autocast(self.device.type, dtype=self.dtype)
        return context

    def __str__(self) -> str:
        where = str(self.device)
        if self.device.type == "cuda":
            where = f"{where} ({torch.cuda.get_device_name(self.device)})"
        elif self.device.type == "cpu":
            threads = torch.get_num_threads()
            where = f"cpu ({threads} thread{'' if threads == 1 else 's'})"
        return f"{where}, {str(self.dtype).removeprefix('torch.')}"


def choose_runtime(device: str, precision: Precision) -> Runtime:
    """Return the device and precision for the options ``--device`` and ``--precision``.

    Raises:
        UsageError: if this machine has no such device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"cannot use device {device!r}: {first_line(error)}; choose auto, cpu or cuda") from error
    if precision == "auto":
        dtype = torch.bfloat16 if has_bfloat16(chosen) else torch.float32
    else:
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    return Runtime(chosen, dtype)


def use_threads(threads: ThreadCount) -> None:
    """Run what follows with a number of CPU threads; with PyTorch's own choice if it is auto or None."""
    if isinstance(threads, int):
        torch.set_num_threads(threads)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware; emulation is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # get_capabilities was added after torch 2.6; older versions compute in float32
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
