"""t-SNE with the paper's settings, by scikit-learn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fairdistill.embedding.options import Metric

_BLOCK = 500


def tsne(
    features: NDArray[np.float32],
    *,
    dims: int,
    perplexity: float,
    early_exaggeration: float,
    iterations: int,
    metric: Metric,
    seed: int,
) -> NDArray[np.float32]:
    """Return the t-SNE coordinates ``[n, dims]`` of features ``[n, D]``.

    van der Maaten & Hinton, *Visualizing data using t-SNE* (JMLR 2008). The paper left the other settings at
    scikit-learn's defaults, which then were a random start and a learning rate of 200.
    """
    from sklearn.manifold import TSNE  # takes a second to import, which only the plot needs

    model = TSNE(
        n_components=dims,
        perplexity=perplexity,
        early_exaggeration=early_exaggeration,
        learning_rate=200.0,
        max_iter=iterations,
        metric=metric,
        init="random",
        random_state=seed,
    )
    coordinates: NDArray[np.float32] = model.fit_transform(features)
    return coordinates


def kl_divergence(
    features: NDArray[np.float32], coordinates: NDArray[np.float32], *, perplexity: float, metric: Metric
) -> float:
    """Return what t-SNE minimizes, KL(P || Q) = sum over pairs of p_ij log(p_ij / q_ij), in nats.

    p_ij = (p_j|i + p_i|j) / 2n, where p_j|i is a Gaussian of the distance from i whose width gives it the perplexity;
    q_ij is Student's t of the distance in the plot, with max(dims - 1, 1) degrees of freedom. It is computed here over
    all pairs because scikit-learn reports none after only 250 iterations: its value is then the largest float.

    Args:
        features: ``[n, D]``.
        coordinates: ``[n, dims]``.
        perplexity: below n.
        metric: distance between features.
    """
    from sklearn.metrics import pairwise_distances

    n, dims = coordinates.shape
    x, y = features.astype(np.float64), coordinates.astype(np.float64)
    blocks = np.array_split(np.arange(n), math.ceil(n / _BLOCK))  # holds only one [n, n] array
    conditional = np.empty((n, n))
    for rows in blocks:
        squared = pairwise_distances(x[rows], x, metric=metric) ** 2
        squared[np.arange(len(rows)), rows] = np.inf
        conditional[rows] = _neighbours(squared, perplexity)
    freedom = max(dims - 1, 1)
    divergence, total = 0.0, 0.0
    for rows in blocks:
        p = (conditional[rows] + conditional[:, rows].T) / (2 * n)
        t = (1 + pairwise_distances(y[rows], y) ** 2 / freedom) ** (-(freedom + 1) / 2)
        t[np.arange(len(rows)), rows] = 0.0
        pairs = p > 0
        divergence += float((p[pairs] * np.log(p[pairs] / t[pairs])).sum())
        total += float(t.sum())
    return divergence + math.log(total)  # q = t / total, and p sums to one


def _neighbours(squared: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Return p_j|i from squared distances ``[m, n]``, infinite to itself; each row has entropy log(perplexity)."""
    squared = squared - squared.min(axis=1, keepdims=True)  # the nearest has weight one, so no row is all zero
    finite = np.where(np.isinf(squared), 0.0, squared)
    precision, low, high = (np.full((len(squared), 1), value) for value in (1.0, 0.0, np.inf))
    for _ in range(60):
        p = np.exp(-precision * squared)
        total = p.sum(axis=1, keepdims=True)
        entropy = np.log(total) + precision * (finite * p).sum(axis=1, keepdims=True) / total
        error = entropy - math.log(perplexity)
        if np.abs(error).max() < 1e-6:
            break
        low, high = np.where(error > 0, precision, low), np.where(error > 0, high, precision)
        precision = np.where(np.isinf(high), 2 * precision, (low + high) / 2)
    shares: NDArray[np.float64] = p / total
    return shares
