from __future__ import annotations

from fairdistill.heads.blind import blind_head
from fairdistill.heads.joint import corrected
from fairdistill.metrics import deo_a, group_counts
from tests.heads.samples import people, problem


def test_the_folded_head_decides_nearly_as_the_corrected_probabilities() -> None:
    data = people(900)
    one = problem(data)
    exact = corrected(one.joint, one.cells.double() / 900, 1.0)
    folded = one.features.logits(blind_head(one, power=1.0))
    assert (exact.argmax(1) == folded.argmax(1)).double().mean() > 0.93
    assert (exact - folded.softmax(1)).abs().mean() < 0.05


def test_the_gap_shrinks_with_the_power() -> None:
    data = people(900)
    one = problem(data)
    gaps = []
    for power in (0.0, 0.5, 1.0):
        predicted = one.features.logits(blind_head(one, power=power)).argmax(1)
        counts = group_counts(data.labels.numpy(), predicted.numpy(), data.groups.numpy(), num_classes=3, num_groups=2)
        gaps.append(deo_a(counts))
    assert gaps[0] > gaps[1] > gaps[2]
