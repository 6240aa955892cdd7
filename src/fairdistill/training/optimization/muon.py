"""Muon: momentum whose direction is made orthogonal, for the weights of hidden layers.

Jordan et al., *Muon: An optimizer for hidden layers in neural networks* (2024). PyTorch's own (since 2.9) takes
matrices alone, and no convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill.system.eager import AdamW

MOMENTUM = 0.95
"""The released code's default."""

_ITERATIONS = 5  # of Newton-Schulz, as in the released code


class Muon(AdamW):
    """Muon for some weights, AdamW for the others, at the same learning rate.

    For a weight W, seen as a matrix ``[m, n]`` of output by input channels and places, with gradient G:

        B <- 0.95 B + G,  W <- W - lr * (weight_decay * W + 0.2 sqrt(max(m, n)) * orthogonalized(G + 0.95 B))

    The factor gives a step the size of AdamW's (Liu et al., *Muon is Scalable for LLM Training*, 2025), so that one
    learning rate suits both.

    Args:
        hidden: weights with two or more dimensions.
        others: the other parameters: biases, the output layer, those of loss terms.
        lr: learning rate.
        weight_decay: weight decay.
    """

    def __init__(
        self, hidden: Sequence[nn.Parameter], others: Sequence[nn.Parameter], *, lr: float, weight_decay: float
    ) -> None:
        groups = [{"params": list(hidden), "hidden": True}, {"params": list(others), "hidden": False}]
        super().__init__([group for group in groups if group["params"]], lr=lr, weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Do one step; the gradients of the hidden weights are used up."""
        for group in self.param_groups:
            if group["hidden"]:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._move(weight, group["lr"], group["weight_decay"])
                        weight.grad = None
        return super().step(closure)

    def _move(self, weight: nn.Parameter, lr: float, weight_decay: float) -> None:
        state, gradient = self.state[weight], weight.grad
        assert gradient is not None
        if not state:
            state["step"] = torch.tensor(0.0)
            state["momentum"] = torch.zeros_like(weight)
        state["step"] += 1
        momentum: Tensor = state["momentum"].mul_(MOMENTUM).add_(gradient)
        direction = orthogonalized(gradient.add(momentum, alpha=MOMENTUM).flatten(1))
        size = 0.2 * sqrt(max(direction.shape))
        weight.mul_(1 - lr * weight_decay).add_(direction.view(weight.shape), alpha=-lr * size)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix with the singular vectors of ``[m, n]`` and singular values near 1, roughly from 0.7 to 1.2.

    Newton-Schulz iteration: X <- (a I + b S + c S S) X with S = X X', from X = matrix / its Frobenius norm, with
    Jordan's coefficients. With Q = a I + b S + c S S, an iteration here is S <- Q S Q and P <- Q P, and the result is
    P X: all of these are polynomials of the first S, so they commute, and S is small where X is wide, as it is in a
    convolution. In float32: S is never computed anew from X, so that the rounding of a lower precision would add up.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[0] <= matrix.shape[1]
    start = (matrix if wide else matrix.T).float()
    start = start / (start.norm() + 1e-7)
    square = start @ start.T
    change = torch.addmm(square, square, square, beta=b, alpha=c)  # Q - a I
    factor = change + a * torch.eye(len(square), device=square.device)
    for _ in range(_ITERATIONS - 1):
        half = torch.addmm(square, change, square, beta=a)
        square = torch.addmm(half, half, change, beta=a)
        change = torch.addmm(square, square, square, beta=b, alpha=c)
        factor = torch.addmm(factor, change, factor, beta=a)
    found: Tensor = factor @ start
    return (found if wide else found.T).to(matrix.dtype)
