from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fairdistill.metrics.permuted_groups import _auc, _Sources, against_chance, discriminant_scores


def test_the_area_is_scikit_learns_and_ties_count_half() -> None:
    draw = np.random.default_rng(0)
    scores, groups = draw.integers(0, 5, (1, 60, 3)).astype(float), draw.integers(0, 3, 60)
    member = (groups[:, None] == np.arange(3))[None]
    expected = [roc_auc_score(member[0, :, g], scores[0, :, g]) for g in range(3)]
    np.testing.assert_allclose(_auc(scores, member)[0], expected)


def test_chance_worked_by_hand() -> None:
    found = against_chance(np.array([0.9, *[0.5] * 98, 0.95]))
    assert (found.value, found.p_value) == (0.9, 0.02)
    assert found.chance == pytest.approx((98 * 0.5 + 0.95) / 99)


def test_sources_of_one_group_exchange_theirs_and_others_their_own_rows() -> None:
    groups, sources = np.array([0, 0, 1, 1, 1, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 3, 3, 3])
    of, seen = _Sources.of(groups, sources), set()
    for seed in range(60):
        new = of.drawn(np.random.default_rng(seed))
        assert new[0] == new[1]
        assert new[2] == new[3]
        assert sorted([new[0], new[2], new[4]]) == [0, 1, 1]
        assert sorted(new[5:].tolist()) == [0, 1, 1]
        seen.add(tuple(new.tolist()))
    assert len(seen) == 9  # three places for each lone 0


@pytest.mark.parametrize(("groups", "centre"), [(2, 1 / 2), (3, 1 / 3)])
def test_permuted_groups_score_what_guessing_does(groups: int, centre: float) -> None:
    draw = np.random.default_rng(0)
    group = np.where(draw.random(300) < 0.6, 0, draw.integers(0, groups, 300))
    features = draw.normal(size=(300, 4)) + 3 * np.eye(groups, 4)[group]
    found = discriminant_scores(features, group, np.arange(300), folds=5, draws=200)
    assert found.balanced[1:].mean() == pytest.approx(centre, abs=0.02)
    assert found.auc[1:].mean() == pytest.approx(0.5, abs=0.02)
    assert found.balanced[0] > 0.85
    assert found.auc[0] > 0.95


def test_constant_features_and_a_group_of_one_sample_do_not_fail() -> None:
    group = np.array([0] * 10 + [1] * 10 + [2])
    found = discriminant_scores(np.ones((21, 2)), group, np.arange(21), folds=3, draws=100)
    assert np.isfinite(found.balanced).all()
    assert found.auc[0] == 0.5


def test_many_samples_and_features_get_fewer_draws() -> None:
    draw = np.random.default_rng(0)
    group = np.arange(5000) % 2
    found = discriminant_scores(draw.normal(size=(5000, 3)), group, np.arange(5000), folds=2, draws=5000)
    assert len(found.auc) == 201
