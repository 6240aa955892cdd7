"""A stand-in for CUDA graphs on a CPU: it records each operation of a pass, and replays them in the same memory.

As with a CUDA graph, Python does not run in a replay: a number that Python computed, a tensor that it replaced, or a
choice that it made stays what it was in the recording. Reading a tensor's value while recording is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

_RESHAPES = ("unsqueeze_", "squeeze_", "transpose_", "t_", "as_strided_", "detach_")
_READS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "unique", "is_nonzero")


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, Tensor)]


def _as_now(tree: Any) -> Any:
    """Return the same with tensors that share memory and keep their present shapes."""
    return pytree.tree_map_only(Tensor, lambda each: each.detach(), tree)


class _Tape(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.ops: list[tuple[Any, Any, Any, Any]] = []
        self.before: dict[int, tuple[Tensor, Tensor]] = {}
        self._made: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.removeprefix("aten::")
        masks = name.startswith("index") and any(each.dtype in (torch.bool, torch.uint8) for each in _tensors(args)[1:])
        if name in _READS or masks:
            raise RuntimeError(f"operation not permitted when stream is capturing: {name}")
        for argument, value in zip(func._schema.arguments, args, strict=False):
            writes = argument.alias_info is not None and argument.alias_info.is_write
            writes |= argument.name in ("running_mean", "running_var")  # whose schema does not say so
            if writes and isinstance(value, Tensor) and value.untyped_storage().data_ptr() not in self._made:
                self.before.setdefault(value.untyped_storage().data_ptr(), (value, value.clone()))
        given = _as_now((args, kwargs))
        result = func(*args, **kwargs)
        self._made.update(each.untyped_storage().data_ptr() for each in _tensors(result))
        if name not in _RESHAPES:
            self.ops.append((func, *given, _as_now(result)))
        return result


class Tapes:
    """Records operations of the CPU, without their effects.

    See :class:`fairdistill.training.optimization.captured.Recorder`.
    """

    def __init__(self) -> None:
        self.recorded = 0

    def warm_up(self, run: Callable[[], None]) -> None:
        run()

    def record(self, run: Callable[[], None]) -> Callable[[], None]:
        state, tape = torch.get_rng_state(), _Tape()
        try:
            with tape:
                run()
        finally:
            torch.set_rng_state(state)
            with torch.no_grad():
                for value, before in tape.before.values():
                    value.copy_(before)
        with torch.no_grad():
            for func, _, _, result in tape.ops:
                if all(each.alias_info is None for each in func._schema.returns):
                    for each in _tensors(result):  # as undefined as what a graph has not computed yet
                        each.zero_() if not each.is_floating_point() else each.fill_(torch.nan)
        self.recorded += 1

        @torch.no_grad()
        def replay() -> None:
            for func, args, kwargs, result in tape.ops:
                returns = func._schema.returns
                if returns and all(each.alias_info is not None and not each.alias_info.is_write for each in returns):
                    continue  # a view, of memory that is there
                again = func(*args, **kwargs)
                for old, new in zip(_tensors(result), _tensors(again), strict=True):
                    if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                        old.copy_(new)

        return replay
