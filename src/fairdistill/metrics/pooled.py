"""Pooled accuracies of small subgroups: what a subgroup shows, and what its class and its group show elsewhere.

Twenty rows say little about a subgroup by themselves. The pooled estimate supposes that the accuracies of the subgroups
are drawn around a common pattern and lets the data say how closely they follow it (Gelman et al., *Bayesian Data
Analysis*, 3rd edition, chapter 5):

    right_gc ~ Binomial(rows_gc, theta_gc),   theta_gc ~ Beta(mu_gc phi + 1/2, (1 - mu_gc) phi + 1/2),
    logit mu_gc = a + class_c + group_g (+ one effect for each attribute, if the groups are combinations of several).

If subgroups differ by no more than the pattern explains, phi is large and a small subgroup gets the pattern's value; if
they go their own ways, phi is small and it keeps its own. Herlihy et al., *A structured regression approach for
evaluating model performance across intersectional subgroups* (FAccT 2024), show that such estimates are much closer to
the truth for small subgroups. The price: a small subgroup that is unlike all others is pulled towards them. To limit
that, a tenth of the prior is flat, as if the subgroup had nothing to do with the pattern (a robust mixture prior, see
Weru et al., *Information borrowing in Bayesian clinical trials*, 2024). The intervals hold on average over the
subgroups, not for each one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import betaln, expit

from fairdistill.metrics.arrays import Floats, Ints
from fairdistill.metrics.intervals import Limits
from fairdistill.metrics.test_set.canonical import canonical_order

_PHI = np.geomspace(1.0, 3000.0, 14)
"""Values of phi, in rows: 1 is a flat distribution, 3,000 rows are next to no difference."""
_SPREAD = {"intercept": 5.0, "class": 1.5, "group": 1.5, "attribute": 1.5, "group beside attributes": 0.75}
"""Standard deviations of the effects on the logit scale, supposed beforehand; so wide that they matter only for levels
with few rows."""
_STEPS = 12
_CLOSE = 0.01
"""Largest change of an effect at which the fit ends, on the logit scale."""
_DRAWN = 2_000_000
"""Accuracies to draw, over all subgroups."""
_FLAT = 0.5
"""Added to both parameters of Beta: without a pattern it is Jeffreys' prior and does not pile up at 0 and 1."""
_OWN = 0.1
"""Chance that a subgroup has nothing to do with the pattern."""
_MANY_EFFECTS = 300
_MOST_EFFECTS = 1500


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pattern:
    """Which effects add up to the logit of each subgroup.

    Attributes:
        at: int64 ``[K, E]``: indices of the effects of each subgroup.
        precision: float64 ``[P]``: of each effect beforehand.
    """

    at: Ints
    precision: Floats

    def logits(self, effects: Floats) -> Floats:
        """Return the sum of the effects of each subgroup, ``[K]``."""
        return np.asarray(effects[self.at].sum(axis=1))

    def gathered(self, values: Floats) -> Floats:
        """Return the sum of the subgroups' values for each effect, ``[P]``."""
        size = len(self.precision)
        found = np.zeros(size)
        for column in self.at.T:
            found += np.bincount(column, values, minlength=size)
        return found

    def information(self, weight: Floats) -> Floats:
        """Return X' diag(weight) X + diag(precision), ``[P, P]``."""
        size = len(self.precision)
        pairs = (self.at[:, :, None] * size + self.at[:, None, :]).reshape(len(self.at), -1)
        found = np.bincount(pairs.ravel(), np.repeat(weight, pairs.shape[1]), minlength=size * size)
        return np.asarray(found.reshape(size, size) + np.diag(self.precision), np.float64)

    def variance(self, covariance: Floats) -> Floats:
        """Return the variance of the sum of the effects of each subgroup, ``[K]``."""
        found = np.zeros(len(self.at))
        for one in self.at.T:
            for other in self.at.T:
                found += covariance[one, other]
        return found


def pooled_accuracy(
    shares: Floats,
    rows: Floats,
    *,
    attributes: Sequence[Ints] = (),
    confidence: float = 0.95,
    seed: int = 0,
) -> Limits:
    """Return the pooled accuracy of each subgroup with its interval, ``[G, C]``; that of an empty one is wide.

    The effects and phi are not known but estimated: phi is drawn from its marginal posterior on a grid (Laplace
    approximation, uniform in 1 / sqrt(phi)), the effects from a normal distribution given phi, and the accuracy from
    the Beta distribution given both. The interval holds the middle of these draws, the value is their median.

    Args:
        shares: float64 ``[G, C]``: observed accuracies; NaN for an empty subgroup.
        rows: float64 ``[G, C]``: rows, or as many independent ones as are as precise.
        attributes: levels of each attribute in each group, see :func:`.attributes_of`.
        confidence: of the intervals, two-sided.
        seed: of the draws.

    Returns:
        Fractions; NaN if there are no rows at all, or more than 1,500 classes and groups.

    Example:
        >>> shares = np.array([[0.9, 0.8, 0.7], [0.91, 0.79, 0.5]])
        >>> found = pooled_accuracy(shares, np.array([[400.0, 400, 400], [400, 400, 4]]))
        >>> bool(0.5 < found.middle[1, 2] < 0.75), bool(found.high[1, 2] - found.low[1, 2] < 0.6)
        (True, True)
    """
    # In an order that depends on the numbers alone, so that names and the order of a table do not matter.
    content = np.round(np.stack([np.nan_to_num(shares), rows], axis=-1) * 1e6).astype(np.int64)
    groups, classes = canonical_order(content)
    shares, rows = shares[groups][:, classes], rows[groups][:, classes]
    found = _pooled(shares, rows, [np.asarray(each)[groups] for each in attributes], confidence, seed)
    group_at, class_at = np.argsort(groups), np.argsort(classes)
    return Limits(*[each[group_at][:, class_at] for each in found])


def _pooled(
    shares: Floats, rows: Floats, attributes: Sequence[Ints], confidence: float, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Return the lower end, the middle and the upper end of each subgroup, ``[G, C]`` each."""
    pattern = _pattern(shares.shape, attributes)
    if not rows.sum() > 0 or len(pattern.precision) > _MOST_EFFECTS:
        return (np.full(shares.shape, np.nan),) * 3
    n = rows.ravel().astype(np.float64)
    right = np.where(n > 0, np.nan_to_num(shares.ravel()) * n, 0.0)
    share = (right.sum() + 0.5) / (n.sum() + 1)
    effects = np.zeros(len(pattern.precision))
    effects[0] = np.log(share / (1 - share))
    fits = []
    for phi in (_PHI if len(effects) <= _MANY_EFFECTS else _PHI[::2]).tolist():
        fits.append(_fitted(pattern, effects, right, n, phi))
        effects = fits[-1].effects
    evidence = np.array([fit.evidence for fit in fits])
    weight = np.exp(evidence - evidence.max())
    generator = np.random.default_rng(seed)
    draws = generator.multinomial(int(np.clip(_DRAWN / len(n), 200, 4000)), weight / weight.sum()).tolist()
    parts = [(fit, some) for fit, some in zip(fits, draws, strict=True) if some]
    drawn = np.concatenate(
        [_accuracies(pattern, fit, right, n, draws=some, generator=generator) for fit, some in parts]
    )
    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(drawn, [tail, 0.5, 1 - tail], axis=0).reshape(3, *shares.shape)
    return low, middle, high


def _pattern(shape: tuple[int, ...], attributes: Sequence[Ints]) -> _Pattern:
    groups, classes = shape
    group, label = (index.ravel() for index in np.indices(shape))
    own = "group beside attributes" if len(attributes) else "group"
    columns, spread = [np.zeros(groups * classes, np.int64)], [_SPREAD["intercept"]]
    for levels, name in (
        (label, "class"), (group, own), *((np.asarray(each)[group], "attribute") for each in attributes),
    ):  # fmt: skip
        columns.append(levels + len(spread))
        spread += [_SPREAD[name]] * (int(levels.max(initial=-1)) + 1)
    return _Pattern(at=np.stack(columns, axis=1), precision=1 / np.array(spread) ** 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """The effects for a value of phi.

    Attributes:
        phi: the value.
        effects: float64 ``[P]``.
        factor: of their information, as :func:`scipy.linalg.cho_factor` has it.
        evidence: log of phi's marginal posterior, up to a constant.
    """

    phi: float
    effects: Floats
    factor: tuple[Floats, bool]
    evidence: float


def _fitted(pattern: _Pattern, effects: Floats, right: Floats, rows: Floats, phi: float) -> _Fit:
    """Return the effects for a value of phi, found from those of another value.

    Weighted least squares with the variance of the beta-binomial distribution (Williams, *Extra-binomial variation in
    logistic linear models*, 1982).
    """
    extra = 1 + np.maximum(rows - 1, 0) / (phi + 1)
    for _ in range(_STEPS):
        mean = expit(pattern.logits(effects))
        information = cho_factor(pattern.information(rows * mean * (1 - mean) / extra + 1e-9))
        score = pattern.gathered((right - rows * mean) / extra) - pattern.precision * effects
        step = np.clip(cho_solve(information, score), -2, 2)
        effects = effects + step
        if np.abs(step).max() < _CLOSE:
            break
    mean = np.clip(expit(pattern.logits(effects)), 1e-6, 1 - 1e-6)
    likelihood = _log_chance(right, rows, mean * phi + _FLAT, (1 - mean) * phi + _FLAT).sum()
    prior = -0.5 * float((pattern.precision * effects**2).sum())
    half_log_det = float(np.log(np.diag(information[0])).sum())
    evidence = float(likelihood) + prior - half_log_det - 0.5 * np.log(phi)
    return _Fit(phi=phi, effects=effects, factor=information, evidence=evidence)


def _accuracies(
    pattern: _Pattern, fit: _Fit, right: Floats, rows: Floats, *, draws: int, generator: np.random.Generator
) -> Floats:
    """Draw accuracies ``[draws, K]`` given phi."""
    logit = pattern.logits(fit.effects)
    error = np.sqrt(pattern.variance(cho_solve(fit.factor, np.eye(len(fit.effects)))))
    a = np.clip(expit(logit + error * generator.standard_normal((draws, len(rows)))), 1e-6, 1 - 1e-6)
    b = 1 - a
    for each in (a, b):  # in place, since they are large
        each *= fit.phi
        each += _FLAT
    middle = expit(logit)
    usual = _log_chance(right, rows, middle * fit.phi + _FLAT, (1 - middle) * fit.phi + _FLAT)
    apart = _log_chance(right, rows, np.ones_like(rows), np.ones_like(rows))
    own = expit(np.log(_OWN) - np.log1p(-_OWN) + apart - usual)
    alone = generator.random(a.shape) < own
    for each, counted in ((a, right), (b, rows)):
        each[alone] = 1.0
        each += counted
    b -= right
    return np.asarray(generator.beta(a, b))


def _log_chance(right: Floats, rows: Floats, a: Floats, b: Floats) -> Floats:
    """Return the log of the beta-binomial probability of each subgroup, without the binomial coefficient."""
    return np.asarray(betaln(a + right, b + rows - right) - betaln(a, b))
