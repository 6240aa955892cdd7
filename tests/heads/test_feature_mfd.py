from __future__ import annotations

import pytest
import torch

from fairdistill.heads import feature_mfd
from fairdistill.heads.feature_mfd import feature_mfd_head
from fairdistill.metrics import deo_a, group_counts
from tests.heads.samples import people, problem


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_mfd, "_STEPS", 60)
    monkeypatch.setattr(feature_mfd, "_ROWS", 48)


def test_the_gap_shrinks_and_the_same_seed_gives_the_same_head() -> None:
    data = people(600)
    start = problem(data).balanced
    one = problem(data, problem(data).features.outward(start))
    found = feature_mfd_head(one, strength=3.0)
    gaps = []
    for head in (one.deployed, found):
        predicted = one.features.logits(head).argmax(1)
        counts = group_counts(data.labels.numpy(), predicted.numpy(), data.groups.numpy(), num_classes=3, num_groups=2)
        gaps.append(deo_a(counts))
    assert found.weight.shape == (3, 6)
    assert gaps[1] < gaps[0]
    assert torch.equal(found.weight, feature_mfd_head(one, strength=3.0).weight)
    other = problem(data, one.features.outward(one.deployed), seed=1)
    assert not torch.equal(found.weight, feature_mfd_head(other, strength=3.0).weight)


def test_unknown_groups_and_an_empty_subgroup() -> None:
    data = people(200)
    one = problem(data)
    groups = torch.where((data.labels == 0) & (data.groups == 1), -1, data.groups)
    found = feature_mfd_head(type(one)(one.features, data.labels, groups, 2, one.deployed, 0), strength=1.0)
    assert found.weight.isfinite().all()
