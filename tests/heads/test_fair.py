from __future__ import annotations

import torch

from fairdistill.heads.fair import balanced_head, fair_head
from fairdistill.heads.objectives import head_deo
from tests.heads.samples import people, problem
from tests.reference import heads as reference


def test_balanced_head_is_the_minimum_of_the_reference() -> None:
    data = people(60)
    one = problem(data)
    found = balanced_head(one)

    def value(weight: torch.Tensor, bias: torch.Tensor) -> float:
        x = torch.cat(list(one.features.blocks())).double()
        logits = (x @ weight.T + bias).tolist()
        away = (weight - one.deployed.weight).square().sum() + (bias - one.deployed.bias).square().sum()
        return reference.balanced_cross_entropy(logits, data.labels.tolist(), data.groups.tolist()) + 0.01 * away.item()

    least = value(found.weight, found.bias)
    draw = torch.Generator().manual_seed(0)
    for _ in range(40):
        step = 0.03 * torch.randn(found.weight.shape, generator=draw, dtype=torch.float64)
        shift = 0.03 * torch.randn(found.bias.shape, generator=draw, dtype=torch.float64)
        assert value(found.weight + step, found.bias + shift) > least


def test_a_stronger_penalty_leaves_a_smaller_gap_and_0_is_the_balanced_head() -> None:
    data = people(300)
    one = problem(data)
    gaps = []
    for strength in (0.0, 0.3, 3.0):
        logits = one.features.logits(fair_head(one, strength=strength)).double()
        gaps.append(head_deo(logits, data.labels, data.groups, num_groups=2).item())
    assert gaps[0] > 2 * gaps[1] > 2 * gaps[2]
    torch.testing.assert_close(fair_head(one, strength=0.0).weight, one.balanced.weight, atol=2e-3, rtol=0)


def test_order_of_rows_groups_and_classes_does_not_matter() -> None:
    data = people(120)
    one = problem(data)
    found = fair_head(one, strength=0.3)
    order = torch.randperm(120, generator=torch.Generator().manual_seed(3))
    classes = torch.tensor([2, 0, 1])
    other = problem(data.take(order))
    shuffled = type(one)(
        other.features, classes[data.labels[order]], 1 - data.groups[order], 2,
        type(found)(other.deployed.weight[[1, 2, 0]], other.deployed.bias[[1, 2, 0]]), 0,
    )  # fmt: skip
    again = fair_head(shuffled, strength=0.3)
    torch.testing.assert_close(again.weight[classes], found.weight, atol=5e-3, rtol=0)


def test_an_empty_subgroup_and_more_features_than_rows() -> None:
    data = people(200, size=40).take(torch.arange(30))
    kept = ~((data.labels == 2) & (data.groups == 1))
    one = problem(data.take(kept.nonzero().flatten()))
    found = fair_head(one, strength=1.0)
    assert found.weight.isfinite().all()
    right = (one.features.logits(found).argmax(1) == one.labels).double().mean()
    assert right == 1.0
