"""Looking up features by image and augmentation state."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Stored:
    """One feature of every image of a data set in each augmentation state.

    Args:
        states: for each augmentation state ``[rows, ...]``, in memory or memory-mapped.
        joined: whether to copy all states into one tensor on ``device``.
        device: the device of the features that are looked up.

    Example:
        >>> stored = Stored([torch.zeros(3, 1), torch.ones(3, 1)], joined=True, device=torch.device("cpu"))
        >>> stored.at(torch.tensor([2, 0]), torch.tensor([1, 0])).tolist()
        [[1.0], [0.0]]
    """

    def __init__(self, states: Sequence[Tensor], *, joined: bool, device: torch.device) -> None:
        self._rows = len(states[0])
        self._device = device
        self._all = torch.cat(list(states)).to(device) if joined else None
        self._states = () if joined else tuple(states)

    def at(self, index: Tensor, state: Tensor) -> Tensor:
        """Return the features of the rows ``index`` in the augmentation states ``state``, both int64 ``[n]``."""
        if self._all is not None:
            at = state * self._rows + index
            return self._all.index_select(0, at.to(self._all.device))
        found = self._states[0].new_empty(len(index), *self._states[0].shape[1:])
        for number, values in enumerate(self._states):
            mine = (state == number).nonzero().flatten()
            found[mine] = values.index_select(0, index[mine])
        return found.to(self._device, non_blocking=True)

    def of_state(self, state: int) -> Tensor:
        """Return the features of all rows in one augmentation state, ``[rows, ...]``."""
        if self._all is not None:
            return self._all[state * self._rows : (state + 1) * self._rows]
        return self._states[state]
