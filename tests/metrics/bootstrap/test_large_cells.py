"""Cells with so many rows that what drawn ones add up to is normal, against counting every outcome."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from fairdistill.metrics.bootstrap import gathering
from fairdistill.metrics.bootstrap.gathering import outcomes_of
from fairdistill.metrics.bootstrap.large_cells import NormalSums, large_cells
from fairdistill.metrics.bootstrap.outcomes import Outcomes
from fairdistill.metrics.test_set.rows import Rows

MODELS = 4
VALUES = (np.arange(1 << MODELS)[:, None] >> np.arange(MODELS) & 1).astype(float)
DRAWS = 20_000


def coded(right: list[float], rows: int, *, seed: int = 0) -> np.ndarray:
    """Outcomes of models that are right so often, and more often about easy rows than about hard ones."""
    draw = np.random.default_rng(seed)
    easy = draw.random(rows) < 0.5
    chance = np.array(right)[:, None] + np.where(easy, 0.1, -0.1)
    return ((draw.random((MODELS, rows)) < chance) * (1 << np.arange(MODELS))[:, None]).sum(axis=0)


def two_cells(rows: int = 400, few: int = 12) -> Outcomes:
    """A large cell and a small one."""
    code = np.concatenate([coded([0.5, 0.7, 0.8, 0.85], rows), coded([0.5] * MODELS, few, seed=1)])
    cell = np.repeat([0, 1], [rows, few])
    given = Rows(cell=cell, code=code, values=VALUES, sources=np.arange(len(cell)), num_cells=2)
    return outcomes_of(given, pool=np.zeros(2, np.int64), ends=True)


@pytest.mark.parametrize(("wrong", "large"), [(19, False), (20, True)])
@pytest.mark.parametrize("turned", [False, True])
def test_every_model_of_a_large_cell_is_often_right_and_often_wrong(wrong: int, large: bool, turned: bool) -> None:
    counts = np.zeros((1, 16), np.int64)
    counts[0, [0, 15]] = wrong, 100
    assert large_cells(counts[:, ::-1] if turned else counts, VALUES).tolist() == [large]


def test_of_three_models_no_cell_is_large() -> None:
    values = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(float)
    assert large_cells(np.full((2, 8), 1000), values).tolist() == [False, False]


def test_the_sums_have_the_mean_and_the_covariance_of_the_rows() -> None:
    rows = VALUES[coded([0.4, 0.6, 0.7, 0.8], 300)]
    weight = np.array([[(rows == each).all(axis=1).sum() for each in VALUES]], float)
    found = NormalSums.of(np.array([1]), weight, VALUES, 3).table.toarray()
    assert not found[:, [*range(MODELS), *range(2 * MODELS, 3 * MODELS)]].any()
    mean, *varied = found[:, MODELS : 2 * MODELS]
    np.testing.assert_allclose(mean, rows.mean(axis=0))
    np.testing.assert_allclose(np.transpose(varied) @ varied, np.cov(rows.T, bias=True), atol=1e-8)


@pytest.mark.parametrize("design", ["random", "balanced"])
def test_a_large_cell_varies_as_if_its_outcomes_were_counted(design, monkeypatch: pytest.MonkeyPatch) -> None:
    found = two_cells()
    assert found.normal.tolist() == [False, True]
    monkeypatch.setattr(gathering, "large_cells", lambda counts, values: np.zeros(len(counts), bool))
    counted = two_cells()
    assert not counted.normal.any()
    np.testing.assert_allclose(found.share, counted.share)
    np.testing.assert_allclose(found.expected @ found.table, counted.expected @ counted.table)
    for name in ("shares", "sums"):
        own, other = (
            np.concatenate([getattr(each, name) for each in some.test_sets(DRAWS, 0, design)])
            for some in (found, counted)
        )
        for cell in (0, 1):
            np.testing.assert_allclose(
                np.cov(own[:, cell].T), np.cov(other[:, cell].T), atol=0.05 * other[:, cell].var(axis=0).max()
            )
        changes = [each[:, 0, 2:].mean(axis=1) - each[:, 0, :2].mean(axis=1) for each in (own, other)]
        # a step of what is counted is 1 / 800, about 0.04 standard deviations
        assert ks_2samp(*changes).statistic < 0.03


def test_a_small_cell_beside_it_is_counted() -> None:
    shares = np.concatenate([each.shares for each in two_cells().test_sets(200, 0, "balanced")])
    steps = 12 * shares[:, 1]
    np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
    assert np.abs(400 * shares[:, 0] - (400 * shares[:, 0]).round()).max() > 0.1
