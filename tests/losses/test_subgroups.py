import pytest
import torch

from fairdistill.losses.subgroups import subgroup_sums


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_and_numbers_are_those_of_each_subgroup_alone(dtype):
    draw = torch.Generator().manual_seed(0)
    values = torch.rand(50, generator=draw, dtype=dtype)
    labels, groups = torch.randint(0, 3, (50,), generator=draw), torch.randint(-1, 4, (50,), generator=draw)
    groups[labels == 2] = groups[labels == 2].clamp_max(2)  # no sample of the last subgroup
    sums, rows = subgroup_sums(values, labels, groups, shape=(3, 4))
    assert sums.dtype == rows.dtype == dtype
    for label in range(3):
        for group in range(4):
            own = values[(labels == label) & (groups == group)]
            torch.testing.assert_close(sums[label, group], own.sum())
            assert rows[label, group] == len(own)
    assert rows[2, 3] == 0


def test_a_value_of_unknown_group_gets_no_gradient():
    values = torch.ones(3, requires_grad=True)
    sums, _ = subgroup_sums(values, torch.tensor([0, 0, 1]), torch.tensor([0, -1, 1]), shape=(2, 2))
    sums.sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [1, 0, 1]
