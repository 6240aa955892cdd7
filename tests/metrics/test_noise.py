from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from fairdistill.metrics import Estimate
from fairdistill.metrics.noise import chance_deo


def test_two_groups_of_one_class_agree_with_the_exact_distribution():
    n, p = 4, 0.5
    mass = [math.comb(n, k) * p**n for k in range(n + 1)]
    exact = sum(mass[a] * mass[b] * abs(a - b) / n for a in range(n + 1) for b in range(n + 1))
    found = chance_deo([[n], [n]], accuracy=p, draws=200_000)
    assert found.deo_a.value == pytest.approx(exact, abs=0.003)
    assert found.deo_m == found.deo_a  # with one class the mean is the maximum


def test_utkface_has_the_noise_floor_that_the_protocol_is_known_for():
    found = chance_deo(np.full((4, 3), 100), accuracy=0.75, draws=20_000)
    assert [100 * value for value in astuple(found.deo_a)] == pytest.approx([8.9, 4.7, 13.7], abs=0.4)
    assert [100 * value for value in astuple(found.deo_m)] == pytest.approx([12.2, 7, 19], abs=0.7)


def test_smaller_cells_and_more_groups_show_more_by_chance():
    def floor(rows):
        return chance_deo(rows, accuracy=0.8).deo_a.value

    assert floor([[400]] * 2) < floor([[100]] * 2) < floor([[100]] * 4) < floor([[20]] * 4)


def test_a_perfect_or_useless_model_shows_none():
    for accuracy in (0.0, 1.0):
        assert chance_deo([[5, 9], [7, 2]], accuracy=accuracy).deo_m == Estimate(0.0, 0.0, 0.0)


def test_an_empty_cell_makes_it_undefined():
    found = chance_deo([[5, 0], [7, 2]], accuracy=0.8)
    assert all(math.isnan(value) for value in (*astuple(found.deo_a), *astuple(found.deo_m)))


def test_the_same_seed_gives_the_same_numbers():
    rows = [[30, 40], [50, 60]]
    assert chance_deo(rows, accuracy=0.7, seed=3) == chance_deo(rows, accuracy=0.7, seed=3)
    assert chance_deo(rows, accuracy=0.7, seed=3) != chance_deo(rows, accuracy=0.7, seed=4)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([5, 5], {}, r"`cell_rows` to be \[G, C\] whole numbers, but got int64 of shape \(2,\)"),
        ([[5, -1]], {}, r"`cell_rows` .* of shape \(1, 2\) with -1"),
        ([[5, 1.5]], {}, r"`cell_rows` .* but got float64"),
        ([[5, 5]], {"accuracy": 1.2}, r"`accuracy` to be a fraction in \[0, 1\], but got 1.2"),
        ([[5, 5]], {"draws": 0}, "`draws` to be at least 1, but got 0"),
    ],
)
def test_bad_arguments_are_named(rows, options, message):
    with pytest.raises(ValueError, match=message):
        chance_deo(rows, **{"accuracy": 0.8, **options})
