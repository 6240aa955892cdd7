from __future__ import annotations

import pytest
import torch

from fairdistill.errors import DataError
from fairdistill.heads.head import Head
from fairdistill.heads.standardized import Standardized
from tests.heads.samples import deployed, people


@pytest.mark.parametrize("in_memory", [0, 2**20])
def test_mean_0_and_standard_deviation_1_over_all_parts(in_memory: int) -> None:
    parts = [people(n, seed=n).features for n in (7, 50, 31)]
    found = Standardized.of(parts, in_memory=in_memory)
    every = torch.cat(list(found.blocks()))
    assert found.ready == (in_memory > 0)
    assert every.dtype == torch.float32
    assert len(found) == 88
    torch.testing.assert_close(every.mean(0), torch.zeros(6), atol=1e-6, rtol=0)
    torch.testing.assert_close(every.std(0, correction=0), torch.ones(6))
    rows = torch.tensor([87, 0, 7, 6, 56, 57])
    torch.testing.assert_close(found.take(rows), every[rows])


def test_a_head_has_the_same_logits_inside_and_outside() -> None:
    data = people()
    head = deployed(data)
    found = Standardized.of([data.features])
    inward = found.inward(head)
    torch.testing.assert_close(found.logits(inward), head.logits(data.features), atol=1e-5, rtol=1e-5)
    back = found.outward(inward)
    torch.testing.assert_close(back.weight, head.weight)
    torch.testing.assert_close(back.bias, head.bias, atol=1e-6, rtol=1e-6)


def test_constant_features_keep_their_weight() -> None:
    features = people(20).features
    features[:, 2] = 7.0
    features[:, 3] = 0.0
    found = Standardized.of([features.bfloat16()])
    assert found.scale[[2, 3]].tolist() == [1.0, 1.0]
    head = Head(torch.ones(2, 6), torch.zeros(2))
    torch.testing.assert_close(found.outward(found.inward(head)).weight, head.weight)
    assert torch.cat(list(found.blocks()))[:, 2:4].abs().max() == 0


def test_the_gradient_is_that_of_autograd() -> None:
    data = people(40)
    found = Standardized.of([data.features[:11], data.features[11:]])
    x = torch.cat(list(found.blocks())).double()
    weight = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(3, dtype=torch.float64, requires_grad=True)
    upward = torch.randn(40, 3, dtype=torch.float64)
    ((x @ weight.T + bias) * upward).sum().backward()
    mine = found.pulled_back(upward)
    torch.testing.assert_close(mine.weight, weight.grad, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mine.bias, bias.grad)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite(value: float) -> None:
    features = people(20).features
    features[3, 1] = value
    with pytest.raises(DataError, match="not finite"):
        Standardized.of([features])
