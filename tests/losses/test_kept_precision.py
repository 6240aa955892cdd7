from __future__ import annotations

import pytest
import torch

from fairdistill.losses import GapRegLoss, GroupDROLoss
from tests.losses.contract import random
from tests.losses.every import GROUPS, LABELS


@pytest.mark.parametrize("module", [GroupDROLoss, GapRegLoss])
def test_what_moves_a_little_in_each_step_moves_as_far_after_a_cast_to_half_precision(module):
    whole, cast = (module(num_classes=3, num_groups=2) for _ in range(2))
    network = torch.nn.ModuleList([torch.nn.Linear(2, 2), cast]).to(torch.bfloat16)
    assert network[0].weight.dtype == torch.bfloat16
    for step in range(100):
        for loss in (whole, cast):
            loss(random(6, 3, seed=step).float(), LABELS, GROUPS)
    ((_, kept),) = list(cast.named_buffers(remove_duplicate=True))[:1]
    ((_, expected),) = list(whole.named_buffers())[:1]
    assert torch.equal(kept, expected)


def test_a_cast_to_double_is_one():
    assert GapRegLoss(num_classes=3, num_groups=2).double().totals.dtype == torch.float64
