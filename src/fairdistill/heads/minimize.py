"""The head with the smallest loss, by L-BFGS over all rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairdistill.heads.head import Head
from fairdistill.heads.standardized import Standardized

Loss = Callable[[Tensor], Tensor]
"""A scalar from the logits of all rows, float64 ``[N, C]``."""


def minimize(
    features: Standardized, loss: Loss, *, anchor: Head, penalty: float, start: Head | None = None, steps: int = 100
) -> Head:
    """Return the head that minimizes ``loss(logits) + penalty * |head - anchor|^2``.

    The squared distance is that of weights and biases of the standardized features. With a positive penalty and a
    convex loss there is exactly one minimum. Features are read block by block, so they need not fit into memory.

    Args:
        features: the standardized features.
        loss: differentiable; any function of the logits.
        anchor: the head whose distance is penalized.
        penalty: factor of the squared distance.
        start: where to start; the anchor by default.
        steps: most iterations of L-BFGS.

    Returns:
        A head of the standardized features, float64.
    """
    import scipy.optimize
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    shape = anchor.weight.shape
    center = _flat(anchor)

    def value(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = features.logits(_head(point, shape)).double().requires_grad_()
        total = loss(logits)
        (gradient,) = torch.autograd.grad(total, logits)
        away = point - center
        return total.item() + penalty * float(away @ away), _flat(features.pulled_back(gradient)) + 2 * penalty * away

    # L-BFGS itself handles a few vectors; on a busy machine two threads take 10 to 20 times longer for them.
    with torch.enable_grad(), threadpool_limits(1, user_api="blas"):
        found = scipy.optimize.minimize(
            value, center if start is None else _flat(start), jac=True, method="L-BFGS-B",
            options={"maxiter": steps, "maxcor": 20, "ftol": _CLOSE, "gtol": _FLAT},
        )  # fmt: skip
    return _head(found.x, shape)


_CLOSE = 1e-7  # relative change of the objective at which the search ends; float32 logits resolve about 1e-8
_FLAT = 1e-5


def _flat(head: Head) -> NDArray[np.float64]:
    return torch.cat([head.weight.flatten(), head.bias]).double().numpy()


def _head(point: NDArray[np.float64], shape: torch.Size) -> Head:
    values = torch.from_numpy(point)
    return Head(values[: shape.numel()].view(shape), values[shape.numel() :])
