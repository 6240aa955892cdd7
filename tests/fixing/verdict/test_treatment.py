from __future__ import annotations

from dataclasses import replace

from fairdistill.fixing.verdict.treatment import treatment
from tests.fixing.making import UNFAIR, audited


def test_it_is_the_class_whose_groups_are_furthest_apart_not_the_hardest_class():
    hard_for_all = ((90, 300), (240, 300), (93, 300), (180, 300))  # Female is hard, Male is unequal
    found = treatment(audited(hard_for_all))
    assert (found.class_name, found.worst.group, found.best.group) == ("Male", "White", "Black")
    assert (found.worst.share, found.best.share) == (0.6, 0.8)
    assert found.worst.share_after is None


def test_a_small_subgroup_is_shown_by_its_pooled_estimate():
    small = ((1, 12), (240, 300), (243, 300), (246, 300))
    audit = audited(small)
    found = treatment(audit)
    pooled = next(cell.pooled.value for cell in audit.cells if cell.rows == 12)
    assert found.worst.few
    assert not found.best.few
    assert found.worst.share == pooled > 1 / 12


def test_without_two_groups_of_a_class_nobody_is_named():
    audit = audited(UNFAIR)
    assert treatment(replace(audit, cells=audit.cells[:2])) is None
