"""Samplers that take turns."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from fairdistill.samplers.sampler import Sampler


class InTurn:
    """Several samplers, each of some rows of the same data set, which take turns: one batch each.

    With several yes/no attributes, batches are balanced over the subgroups of one attribute after the other: batches
    that are balanced over all of them at once would need a place for every combination of answers.

    Args:
        samplers: they have equal batches, except where an attribute has empty subgroups or rows of unknown group.
        rows: for each of them, int64 ``[N]``, the rows of the data set that it draws from.
    """

    def __init__(self, samplers: Sequence[Sampler], rows: Sequence[Tensor]) -> None:
        self._samplers, self._rows = tuple(samplers), tuple(rows)
        self.batch_size = max(each.batch_size for each in samplers)
        self.steps_per_epoch = max(each.steps_per_epoch for each in samplers)

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        turn, at = divmod(step, len(self._samplers))
        return self._rows[at][self._samplers[at].batch(turn)]

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before by the same sampler, int64 on the CPU."""
        turn, at = divmod(step, len(self._samplers))
        return self._samplers[at].passes(turn)
