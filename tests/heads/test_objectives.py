from __future__ import annotations

import math

import pytest
import torch

from fairdistill.heads.objectives import balanced_weights, head_deo, weighted_cross_entropy
from tests.heads.samples import deployed, people
from tests.reference import heads as reference


def test_weights_by_hand_with_an_unknown_group_and_an_empty_subgroup() -> None:
    labels, groups = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 0, 1, 0, -1])
    weights = balanced_weights(labels, groups, num_classes=2, num_groups=2)
    assert weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 3, 0])


def test_balanced_cross_entropy_is_the_reference() -> None:
    data = people(80)
    groups = data.groups.clone()
    groups[::7] = -1
    logits = deployed(data).logits(data.features).double()
    weights = balanced_weights(data.labels, groups, num_classes=3, num_groups=2)
    found = weighted_cross_entropy(logits, data.labels, weights).item()
    slow = reference.balanced_cross_entropy(logits.tolist(), data.labels.tolist(), groups.tolist())
    assert found == pytest.approx(slow, abs=1e-12)


def test_gap_by_hand() -> None:
    # class 0 is right with probability 0.9 in group 0 and 0.5 in group 1: half the gap is 0.2
    logits = torch.tensor([[math.log(9), 0], [0, 0], [0, 5]], dtype=torch.float64)
    found = head_deo(logits, torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0]), num_groups=2).item()
    assert found == pytest.approx(math.hypot(0.2, 0.01) - 0.01)


def test_gap_is_the_reference_and_its_gradient_the_numeric_one() -> None:
    data = people(40)
    groups = data.groups.clone()
    groups[::5] = -1
    groups[(data.labels == 1) & (groups == 0)] = 1  # class 1 has a single group
    logits = deployed(data).logits(data.features).double()
    slow = reference.soft_gap(logits.tolist(), data.labels.tolist(), groups.tolist(), 0.01)
    assert head_deo(logits, data.labels, groups, num_groups=2).item() == pytest.approx(slow, abs=1e-12)
    assert torch.autograd.gradcheck(lambda z: head_deo(z, data.labels, groups, num_groups=2), logits.requires_grad_())


def test_permuted_groups_and_classes() -> None:
    data = people(60, groups=3)
    logits = deployed(data).logits(data.features).double()
    found = head_deo(logits, data.labels, data.groups, num_groups=3)
    other = head_deo(logits[:, [2, 0, 1]], torch.tensor([1, 2, 0])[data.labels], 2 - data.groups, num_groups=3)
    torch.testing.assert_close(found, other)
