from __future__ import annotations

import pytest
import torch

from fairdistill.heads.afr import afr_head, afr_weights
from tests.heads.samples import deployed, people, problem
from tests.reference import heads as reference


def test_weights_are_the_reference() -> None:
    data = people(50)
    logits = deployed(data).logits(data.features)
    found = afr_weights(logits, data.labels, 2.0)
    assert found.tolist() == pytest.approx(reference.afr_weights(logits.tolist(), data.labels.tolist(), 2.0), rel=1e-5)
    assert found.sum().item() == pytest.approx(1)


def test_groups_are_not_read() -> None:
    data = people(80)
    one = problem(data)
    blind = type(one)(one.features, data.labels, torch.full((80,), -1), 2, one.deployed, 0)
    assert torch.equal(afr_head(one, gamma=2.0).weight, afr_head(blind, gamma=2.0).weight)
