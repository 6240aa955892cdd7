from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.heads.head import Head
from fairdistill.heads.minimize import minimize
from fairdistill.heads.standardized import Standardized
from tests.heads.samples import people


def test_ridge_regression_in_closed_form() -> None:
    data = people(60)
    features = Standardized.of([data.features[:25], data.features[25:]], in_memory=0)
    x = torch.cat([torch.cat(list(features.blocks())), torch.ones(60, 1)], 1).double()
    y = torch.nn.functional.one_hot(data.labels, 3).double()
    center = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    solved = torch.linalg.solve(x.T @ x + 0.3 * torch.eye(7), x.T @ y + 0.3 * center)

    def loss(logits: Tensor) -> Tensor:
        return (logits - y).square().sum()

    found = minimize(features, loss, anchor=Head(center[:6].T, center[6]), penalty=0.3, steps=300)
    torch.testing.assert_close(found.weight, solved[:6].T, atol=1e-3, rtol=0)
    torch.testing.assert_close(found.bias, solved[6], atol=1e-3, rtol=0)


def test_without_gradient_nothing_moves() -> None:
    features = Standardized.of([people(10).features])
    anchor = Head(torch.randn(3, 6).double(), torch.randn(3).double())
    with torch.no_grad():
        found = minimize(features, lambda logits: 0 * logits.sum(), anchor=anchor, penalty=1.0)
    assert torch.equal(found.weight, anchor.weight)


def test_one_thread_of_numpy_and_scipy_is_enough() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    features = Standardized.of([people(10).features])
    seen: set[int] = set()

    def loss(logits: Tensor) -> Tensor:
        seen.update(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")
        return logits.square().sum()

    with threadpool_limits(2, user_api="blas"):
        minimize(features, loss, anchor=Head(torch.ones(3, 6).double(), torch.ones(3).double()), penalty=1.0, steps=2)
    assert seen == {1}
