from __future__ import annotations

import pytest
import torch

from fairdistill.heads.joint import corrected, joint_probabilities
from tests.heads.samples import people, problem
from tests.reference import heads as reference


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_correction_is_the_reference(power: float) -> None:
    draw = torch.Generator().manual_seed(0)
    joint = torch.rand(5, 3, 2, generator=draw, dtype=torch.float64)
    prior = torch.rand(3, 2, generator=draw, dtype=torch.float64)
    prior[1, 0] = joint[:, 1, 0].mul_(0)[0]
    joint /= joint.sum((1, 2), keepdim=True)
    found = corrected(joint, prior, power)
    for row, p in zip(found.tolist(), joint.tolist(), strict=True):
        assert row == pytest.approx(reference.corrected(p, prior.tolist(), power))


def test_power_0_sums_the_group_out() -> None:
    joint = torch.tensor([[[0.4, 0.1], [0.2, 0.3]]])
    assert corrected(joint, torch.full((2, 2), 0.25), 0.0).tolist() == [[0.5, 0.5]]


def test_subgroups_without_rows_have_probability_0() -> None:
    cells = torch.tensor([[3, 0], [1, 2]])
    found = joint_probabilities(torch.zeros(2, 4), cells)
    torch.testing.assert_close(found[0], torch.tensor([[1 / 3, 0], [1 / 3, 1 / 3]], dtype=torch.float64))


def test_the_joint_head_is_calibrated_to_the_mixture() -> None:
    data = people(600)
    groups = data.groups.clone()
    groups[::9] = -1
    one = problem(data)
    joint = type(one)(one.features, data.labels, groups, 2, one.deployed, 0).joint
    known = groups >= 0
    torch.testing.assert_close(joint.sum((1, 2)), torch.ones(600, dtype=torch.float64))
    shares = torch.zeros(3, 2, dtype=torch.float64)
    shares.index_put_((data.labels[known], groups[known]), torch.ones(1, dtype=torch.float64), accumulate=True)
    torch.testing.assert_close(joint[known].mean(0), shares / known.sum(), atol=0.01, rtol=0)
    assert (joint.sum(1).argmax(1)[known] == groups[known]).double().mean() > 0.7
