"""t-SNE and its divergence, against scikit-learn's exact method and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.manifold import TSNE

import fairdistill.embedding.tsne
from fairdistill.embedding.tsne import kl_divergence, tsne

PAPERS = {"dims": 3, "perplexity": 200.0, "early_exaggeration": 1.0, "iterations": 250, "metric": "cosine", "seed": 5}


def points(n: int, dims: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dims)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
@pytest.mark.parametrize("dims", [2, 3])
def test_the_kl_divergence_is_scikit_learns_where_it_has_one(metric, dims, monkeypatch):
    monkeypatch.setattr(fairdistill.embedding.tsne, "_BLOCK", 37)
    features = points(90, 8)
    model = TSNE(
        n_components=dims, perplexity=15, early_exaggeration=1.0, learning_rate=50.0, max_iter=300, metric=metric,
        init="random", random_state=0, method="exact",
    )  # fmt: skip
    coordinates = model.fit_transform(features)
    found = kl_divergence(features, coordinates, perplexity=15, metric=metric)
    assert found == pytest.approx(model.kl_divergence_, rel=1e-3)


def test_the_kl_divergence_of_three_equally_far_points_is_hand_worked():
    corners = np.eye(3, dtype=np.float32)
    # p is 1/6 for each ordered pair. On a line at 0, 1 and 2, one degree of freedom: t = 1/2, 1/2 and 1/5 = 2.4 / 2.
    line = np.array([[0, 0], [1, 0], [2, 0]], np.float32)
    q = [0.5 / 2.4, 0.5 / 2.4, 0.2 / 2.4]
    expected = sum(2 / 6 * math.log((1 / 6) / value) for value in q)
    assert kl_divergence(corners, line, perplexity=1.5, metric="euclidean") == pytest.approx(expected)
    assert kl_divergence(corners, corners, perplexity=1.5, metric="euclidean") == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_features_that_never_change_have_a_picture_and_a_number(metric, value):
    features = np.full((20, 4), value, np.float32)
    coordinates = tsne(features, **{**PAPERS, "metric": metric, "perplexity": 6})
    assert np.isfinite(coordinates).all()
    assert math.isfinite(kl_divergence(features, coordinates, perplexity=6, metric=metric))


def test_a_picture_is_drawn_with_the_defaults_of_the_papers_time(monkeypatch):
    seen = {}

    class Recorded(TSNE):
        def fit_transform(self, features):
            seen.update(self.get_params())
            return features

    monkeypatch.setattr("sklearn.manifold.TSNE", Recorded)
    tsne(points(9, 2), **PAPERS)
    papers = {"n_components": 3, "perplexity": 200, "early_exaggeration": 1.0, "max_iter": 250, "metric": "cosine"}
    of_2021 = {"random_state": 5, "init": "random", "learning_rate": 200.0}
    assert papers.items() | of_2021.items() <= seen.items()
