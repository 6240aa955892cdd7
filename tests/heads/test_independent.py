from __future__ import annotations

import torch

from fairdistill.heads.independent import independent_head
from tests.heads.samples import people, problem


def test_it_is_the_mean_of_each_group_s_balanced_head() -> None:
    data = people(200)
    one = problem(data)
    found = independent_head(one)
    heads = []
    for group in (0, 1):
        own = type(one)(one.features, data.labels, torch.where(data.groups == group, 0, -1), 1, one.deployed, 0)
        heads.append(own.balanced)
    torch.testing.assert_close(found.weight, (heads[0].weight + heads[1].weight) / 2, atol=3e-3, rtol=0)
    torch.testing.assert_close(found.bias, (heads[0].bias + heads[1].bias) / 2, atol=3e-3, rtol=0)
    assert (heads[0].weight - heads[1].weight).abs().max() > 0.05
