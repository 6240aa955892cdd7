from __future__ import annotations

import math

import numpy as np
import pytest

from fairdistill.fixing.verdict.settling import gain_to_show, settling_gain, settling_gap
from fairdistill.metrics.sizing import rows_to_detect
from tests.fixing.making import FAIR, FEW, UNFAIR, audited, change


def test_the_images_for_a_gap_are_those_of_the_audits_own_sizing():
    found = settling_gap(audited(UNFAIR), 0.03, "test")
    size = audited(UNFAIR).deo_a.estimate
    assert found.size == size
    right = rows_to_detect(size, groups=2, classes=2, accuracy=audited(UNFAIR).accuracy.value)
    assert found.rows == pytest.approx(right, rel=0.15)
    assert found.lacking == (), "its 300 images a subgroup are enough"


def test_a_gap_below_the_limit_need_not_be_shown():
    found = settling_gap(audited(FEW), 0.2, "validation")
    assert found.size == 0.2
    assert all(each.rows == 40 and each.more == found.rows - 40 for each in found.lacking)
    assert found.more == sum(each.more for each in found.lacking)


def test_no_limit_asks_for_images_that_would_show_a_negligible_gap():
    fair = audited(FAIR)
    assert fair.deo_a.estimate < 0.005
    assert settling_gap(fair, 0.0, "test").size == 0.005


@pytest.mark.parametrize(
    ("found", "promised", "size"),
    [
        ((0.05, -0.1, 0.2), 0.15, 0.05),
        ((0.002, -0.1, 0.2), 0.15, 0.15),
        ((-0.05, -0.2, 0.1), 0.08, 0.08),
        ((0.002, -0.1, 0.1), 0.15, None),
        ((0.002, -0.1, 0.1), 0.004, None),
        ((-0.05, -0.2, -0.01), 0.15, None),
        ((math.nan, math.nan, math.nan), 0.15, None),
        ((-0.05, -0.2, 0.1), math.nan, None),
    ],
)
def test_a_gain_is_worth_showing_if_it_matters_and_the_test_set_does_not_exclude_it(found, promised, size):
    assert gain_to_show(change(*found), promised, negligible=0.005) == size


def test_in_an_unknown_unit_every_gain_matters():
    assert gain_to_show(change(0.002, -0.1, 0.1), 0.15, negligible=0.0) == 0.002
    assert gain_to_show(change(0.0, -0.1, 0.1), 0.0, negligible=0.0) is None


def test_four_times_the_images_halve_the_interval():
    audit = audited(UNFAIR)
    at_the_limit = settling_gain(audit, change(0.05, 0.0, 0.1), 0.05, power=0.5)
    assert at_the_limit.rows == pytest.approx(300, abs=1), "an interval that ends at 0 shows its gain every other time"
    half = settling_gain(audit, change(0.05, 0.0, 0.1), 0.025, power=0.5)
    assert half.rows == pytest.approx(1200, abs=1)
    assert settling_gain(audit, change(0.05, 0.0, 0.1), 0.05).rows > 2 * 300


def test_small_subgroups_count_most():
    mixed = audited(((27, 30), (2400, 3000), (2430, 3000), (2460, 3000)))
    found = settling_gain(mixed, change(0.05, 0.0, 0.1), 0.05, power=0.5)
    harmonic = 4 / np.sum(1 / np.array([30, 3000, 3000, 3000]))
    assert found.rows == math.ceil(harmonic - 1e-9)
    assert [(each.group, each.class_name, each.rows) for each in found.lacking] == [("Black", "Female", 30)]


@pytest.mark.parametrize(
    ("gain", "size"), [(change(0.1, 0.1, 0.1), 0.1), (change(0.1, 0.0, 0.2), 0.0), (change(*[math.nan] * 3), 0.1)]
)
def test_what_cannot_be_computed_is_none(gain, size):
    assert settling_gain(audited(UNFAIR), gain, size) is None
