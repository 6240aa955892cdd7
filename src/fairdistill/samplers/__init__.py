"""Samplers. Every batch follows from the seed and the step alone, so a checkpoint need not save any state."""

from __future__ import annotations

from fairdistill.samplers.balanced import Balanced, BalancedRows
from fairdistill.samplers.batch_sampler import BalancedBatchSampler
from fairdistill.samplers.in_turn import InTurn
from fairdistill.samplers.sampler import Sampler
from fairdistill.samplers.shuffled import Shuffled
from fairdistill.samplers.stream import Stream

__all__ = ["Balanced", "BalancedBatchSampler", "BalancedRows", "InTurn", "Sampler", "Shuffled", "Stream"]
