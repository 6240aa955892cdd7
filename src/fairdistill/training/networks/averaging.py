"""The moving average of a network's weights during training: evaluated and kept instead of the weights themselves.

The weights after a step depend on the last few batches, so accuracy and DEO jump from one evaluation to the next. Their
average jumps less, and is often more accurate (Polyak and Juditsky 1992; Tarvainen and Valpola, *Mean teachers are
better role models*, NeurIPS 2017).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain
from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def decay_after(updates: int, decay: float) -> float:
    """Return how much of the average stays in an update: min(decay, (1 + t) / (10 + t)) after t updates.

    The second value is small at first, so that the initial weights are soon forgotten however large the decay is
    (the rule of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``).

    Example:
        >>> decay_after(0, 0.99), decay_after(10, 0.99), decay_after(10_000, 0.99)
        (0.1, 0.55, 0.99)
    """
    return min(decay, (1 + updates) / (10 + updates))


def ema_decay(steps: int) -> float:
    """Return a decay for a run of so many steps: 1 - 10 / steps, from 0 to 0.999.

    The average then covers about the last tenth of the run: it smooths over the batches and still follows weights that
    improve. A larger decay would change little, since :func:`decay_after` limits it to about this value until the end.

    Example:
        >>> ema_decay(700), ema_decay(10), ema_decay(100_000)
        (0.986, 0.0, 0.999)
    """
    return round(min(0.999, max(0.0, 1 - 10 / steps)), 3)


class WeightAverage:
    """The exponential moving average of a network's weights and buffers.

    average = d * average + (1 - d) * weights after every step, with d from :func:`decay_after`. Floating-point buffers
    (batch-norm statistics) are averaged like weights; others are copied.

    Args:
        network: the network that will be trained; without hooks that read its features.
        decay: in (0, 1); the average covers about the last 1 / (1 - decay) steps.

    Attributes:
        network: a network with the average as its weights, in eval mode.

    Example:
        >>> network = nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.zeros_(network.weight)
        >>> average = WeightAverage(network, 0.5)
        >>> _ = nn.init.ones_(network.weight)
        >>> average.update(network)
        >>> round(average.network.weight.item(), 3)
        0.9
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay
        self._updates = 0

    def update(self, network: nn.Module) -> None:
        """Move the average towards the weights of the network as it is now."""
        move = get_ema_multi_avg_fn(decay_after(self._updates, self._decay))
        self._updates += 1
        averages, values = [], []
        for average, value in zip(_tensors(self.network), _tensors(network), strict=True):
            if average.is_floating_point():
                averages.append(average)
                values.append(value.detach())
            else:
                average.copy_(value)
        move(averages, values, self._updates)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint must keep."""
        return {"network": self.network.state_dict(), "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.network.load_state_dict(state["network"])
        self._updates = state["updates"]


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    return chain(network.parameters(), network.buffers())
