"""Both ways of drawing are one distribution."""

from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.bootstrap.multinomial import by_source, multinomial

WEIGHT = np.array([1.0, 2.0, 1.0, 5.0, 3.0])
N, DRAWS = 12, 40_000


def test_a_source_is_drawn_for_each_and_counted():
    types = np.repeat([0, 1, 2], [1, 3, 2])
    drawn = by_source(types, 6, 500, np.random.default_rng(1))
    sources = np.random.default_rng(1).integers(6, size=(500, 6), dtype=np.uint8)
    for at, each in enumerate(types[sources]):
        assert drawn[:, at].tolist() == [int((each == one).sum()) for one in range(3)]


@pytest.mark.parametrize("number", [N, 1])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_numbers_of_types_have_the_moments_of_the_multinomial_distribution(number, factor):
    drawn = multinomial(WEIGHT * factor, number, DRAWS, np.random.default_rng(0)).astype(float)
    share = WEIGHT / WEIGHT.sum()
    assert (drawn.sum(axis=0) == number).all()
    error = number / np.sqrt(DRAWS)
    np.testing.assert_allclose(drawn.mean(axis=1), number * share, atol=3 * error)
    np.testing.assert_allclose(
        np.cov(drawn), number * (np.diag(share) - np.outer(share, share)), atol=6 * number / np.sqrt(DRAWS)
    )


def test_the_sources_are_drawn_only_where_that_is_faster_and_weights_are_numbers_of_sources(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "fairdistill.metrics.bootstrap.multinomial.by_source",
        lambda types, number, size, generator: (
            asked.append(types.tolist()) or by_source(types, number, size, generator)
        ),
    )
    generator = np.random.default_rng(0)
    multinomial(np.array([2.0, 1.0]), 3, 10, generator)
    assert asked == [[0, 0, 1]]
    multinomial(np.array([2.5, 1.5]), 3, 10, generator)
    multinomial(np.array([1000.0, 1000.0]), 2000, 10, generator)
    assert len(asked) == 1


def test_more_draws_than_fit_in_a_chunk_are_all_drawn():
    drawn = by_source(np.arange(300), 300, 1000, np.random.default_rng(0))
    assert drawn.shape == (300, 1000)
    assert (drawn.sum(axis=0) == 300).all()
    assert abs(drawn.mean(axis=1) - 1).max() < 0.2
