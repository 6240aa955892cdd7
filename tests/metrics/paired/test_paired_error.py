from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.paired.paired_error import paired_error

NONE = np.zeros(0, np.int64)


def independent(first, second, parts):
    return paired_error(first, second, sources=np.arange(len(first)), parts=np.asarray(parts))


def test_a_single_part_has_the_standard_error_of_a_mean_of_differences():
    draw = np.random.default_rng(0)
    first, second = draw.random((2, 200)) < 0.7
    apart = second.astype(float) - first
    expected = apart.std(ddof=1) / np.sqrt(200)
    assert independent(first, second, np.zeros(200, int)) == pytest.approx(expected)


def test_several_parts_have_that_of_the_mean_of_their_means():
    draw = np.random.default_rng(1)
    first, second = draw.random((2, 300)) < 0.6
    parts = np.repeat([0, 1, 2, -1], [20, 50, 130, 100])
    apart = second.astype(float) - first
    variances = [apart[parts == part].var(ddof=1) / (parts == part).sum() for part in range(3)]
    assert independent(first, second, parts) == pytest.approx(np.sqrt(sum(variances)) / 3)


def test_samples_of_one_source_count_once():
    draw = np.random.default_rng(2)
    first, second = draw.random((2, 100)) < 0.6
    parts = np.repeat([0, 1], [30, 70])
    once = independent(first, second, parts)
    twice = paired_error(
        np.tile(first, 2), np.tile(second, 2), sources=np.tile(np.arange(100), 2), parts=np.tile(parts, 2)
    )
    assert twice == pytest.approx(once)


def test_equal_models_differ_by_nothing_and_no_sample_is_undefined():
    right = np.arange(20) % 3 > 0
    assert independent(right, right, np.arange(20) % 2) == 0
    assert np.isnan(independent(right, right, np.full(20, -1)))
    assert np.isnan(paired_error(NONE > 0, NONE > 0, sources=NONE, parts=NONE))


def test_it_is_how_far_drawn_test_sets_vary():
    draw = np.random.default_rng(3)
    parts = np.repeat([0, 1], [40, 160])
    chance = np.where(parts == 0, 0.5, 0.9)
    found, errors = [], []
    for _ in range(2000):
        first, second = draw.random((2, 200)) < chance
        apart = second.astype(float) - first
        found.append((apart[:40].mean() + apart[40:].mean()) / 2)
        errors.append(independent(first, second, parts))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.05)


def test_a_part_of_a_single_sample_is_not_free_of_error():
    first, second = np.zeros(11, bool), np.arange(11) % 2 == 0
    assert independent(first, second, [0] * 10 + [1]) > independent(first[:10], second[:10], [0] * 10) / 2
