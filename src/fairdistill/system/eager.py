"""PyTorch's optimizers without its compiler.

An optimizer's methods import ``torch._dynamo`` when they are first called, so that ``torch.compile`` leaves them out of
its graphs. Nothing here is compiled, and that import takes longer than many a training, and memory in every process
(``benchmarks/startup.py``). These optimizers compute the same, to the bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer


class _Eager(Optimizer):
    """Calls the methods themselves, which PyTorch's own are wrappers of."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        _itself(super().add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        _itself(super().zero_grad)(self, set_to_none)

    def state_dict(self) -> dict[str, Any]:
        return dict(_itself(super().state_dict)(self))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        _itself(super().load_state_dict)(self, state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        return _itself(super().step)(self, closure)


class Adam(_Eager, torch.optim.Adam):
    """:class:`torch.optim.Adam`."""


class AdamW(_Eager, torch.optim.AdamW):
    """:class:`torch.optim.AdamW`."""


class SGD(_Eager, torch.optim.SGD):
    """:class:`torch.optim.SGD`."""


def _itself(method: Any) -> Callable[..., Any]:
    """Return the function that a bound method wraps, however often."""
    function: Callable[..., Any] = inspect.unwrap(method.__func__)
    return function
