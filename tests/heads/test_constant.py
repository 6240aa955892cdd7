from __future__ import annotations

import pytest
import torch

from fairdistill.heads.constant import constant_direction


@pytest.mark.parametrize("rows", [20, 400])
def test_features_after_a_relu_are_nearly_constant_along_it(rows):
    features = torch.randn(rows, 64, generator=torch.Generator().manual_seed(0)).relu()
    along = features @ constant_direction(features)
    assert abs(float(along.mean()) - 1) < 0.03
    assert float(along.std()) < 0.2


def test_it_is_the_ridge_solution_whichever_system_is_smaller():
    features = torch.randn(30, 30, generator=torch.Generator().manual_seed(0)).abs()
    for x in (features[:20], features[:, :20]):
        x = x.double()
        lam = 1e-3 * x.square().sum(1).mean()
        expected = torch.linalg.lstsq(
            torch.cat([x, lam.sqrt() * torch.eye(x.shape[1]).double()]),
            torch.cat([torch.ones(len(x)), torch.zeros(x.shape[1])]).double(),
        ).solution
        assert torch.allclose(constant_direction(x.float()).double(), expected, atol=1e-4)


def test_features_that_are_all_zero_give_no_direction():
    assert constant_direction(torch.zeros(5, 3)).tolist() == [0, 0, 0]
