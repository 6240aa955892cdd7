"""How well a linear discriminant tells the group from features, and how well it would by chance.

The discriminant is ridge regression of the groups' indicators on the standardized features. Samples are held out by
source, so that no person is in the part it is fitted to and in the part it is tested on. By chance: the same with the
groups permuted, those of a source together, and the discriminant fitted again (Ojala and Garriga, *Permutation Tests
for Studying Classifier Performance*, JMLR 2010). Held-out scores are linear in the indicators, so all permutations are
fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, Ints, empirical_p_value

_DRAWS = 500
_FEWEST_DRAWS = 100
_WORK = 1e10  # multiplications of the fits, about a second
_SORTED = 2e6  # scores to sort, about a second
_CHUNK = 5e5  # scores at once
_RIDGE = 0.1
"""Penalty per sample. Features are standardized: directions with a tenth of the mean variance are halved."""


@dataclass(frozen=True)
class AgainstChance:
    """A score and what chance alone would show; fractions, NaN where undefined.

    Attributes:
        value: as observed.
        chance: mean of the scores if the groups are permuted.
        chance_low: 2.5th percentile of these.
        chance_high: 97.5th percentile.
        p_value: how often they are at least as large as observed.
    """

    value: float
    chance: float
    chance_low: float
    chance_high: float
    p_value: float


UNDEFINED = AgainstChance(*[float("nan")] * 5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Scores of the groups as they are, first, and of permuted ones.

    Attributes:
        balanced: float64 ``[1 + draws]``: mean over the groups of the fraction that is predicted correctly.
        auc: float64 ``[1 + draws]``: area under the ROC curve of each group against the others, mean over the groups.
    """

    balanced: Floats
    auc: Floats


def discriminant_scores(
    features: Floats, groups: Ints, sources: Ints, *, folds: int, seed: int = 0, draws: int = _DRAWS
) -> Scores:
    """Return how well a linear discriminant tells the groups of held-out samples, and permuted groups.

    Args:
        features: float64 ``[N, D]``.
        groups: int64 ``[N]`` in ``[0, G)``; at least two have samples.
        sources: int64 ``[N]``: samples of one number are held out together and get new groups together: those of a
            source with a single group get the group of another such source, those of a source with several exchange
            theirs.
        folds: parts of the cross-validation.
        seed: of the folds and of the permutations.
        draws: permutations, at least 100; fewer if there are very many samples and features.

    Example:
        >>> groups = np.arange(60) % 2
        >>> found = discriminant_scores(groups[:, None] * 1.0, groups, np.arange(60), folds=5)
        >>> float(found.balanced[0]), float(found.auc[0]), bool(found.auc[1:].max() < 0.9)
        (1.0, 1.0, True)
    """
    n, number = len(groups), int(groups.max()) + 1
    generator = np.random.default_rng([seed, 7])
    source = np.unique(sources, return_inverse=True)[1]
    fold = generator.permutation(np.arange(int(source.max()) + 1) % folds)[source]
    of = _Sources.of(groups, source)
    fitting = min(_SORTED, _WORK / (2 * features.shape[1])) / (n * number)
    draws = int(np.clip(fitting, _FEWEST_DRAWS, draws))
    new = np.stack([groups, *(of.drawn(generator) for _ in range(draws))])
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    fits = [_Fit.of(scaled, np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in range(folds)]
    size = max(1, int(_CHUNK / (n * number)))
    parts = [_scores(fits, new[start : start + size], number) for start in range(0, len(new), size)]
    return Scores(
        balanced=np.concatenate([part.balanced for part in parts]), auc=np.concatenate([part.auc for part in parts])
    )


def against_chance(scores: Floats) -> AgainstChance:
    """Return the first score against the others.

    Example:
        >>> against_chance(np.array([0.9, 0.4, 0.5, 0.6])).p_value
        0.25
    """
    value, drawn = float(scores[0]), scores[1:]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return AgainstChance(
        value=value,
        chance=float(drawn.mean()),
        chance_low=float(low),
        chance_high=float(high),
        p_value=empirical_p_value(value, drawn),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """A fold: which samples it is fitted to and tested on, and how scores follow from the indicators of the former."""

    train: Ints
    test: Ints
    left: Floats  # float64 [test, D]
    right: Floats  # float64 [D, train]

    @classmethod
    def of(cls, features: Floats, train: Ints, test: Ints) -> _Fit:
        mean = features[train].mean(axis=0)
        fitted, held = features[train] - mean, features[test] - mean
        gram = fitted.T @ fitted + _RIDGE * len(train) * np.eye(features.shape[1])
        return cls(train=train, test=test, left=held, right=np.linalg.solve(gram, fitted.T))


def _scores(fits: list[_Fit], groups: Ints, number: int) -> Scores:
    """Return the scores of some permutations, groups ``[B, N]``."""
    draws, n = groups.shape
    member = groups[:, :, None] == np.arange(number)  # [B, N, G]
    rows = member.sum(axis=1, keepdims=True)
    share = np.maximum(rows, 1) / n
    found = np.zeros(member.shape)
    for fit in fits:
        indicator = member[:, fit.train].transpose(1, 0, 2).reshape(len(fit.train), -1).astype(np.float64)
        scores = fit.left @ (fit.right @ indicator)
        found[:, fit.test] = scores.reshape(len(fit.test), draws, number).transpose(1, 0, 2)
    found /= share
    # The discriminant is the largest score minus half its mean in the group itself; that mean is of the other folds.
    of_own = np.where(member, found, 0.0)
    offset = np.zeros(member.shape)
    for fit in fits:
        count = rows[:, 0] - member[:, fit.test].sum(axis=1)
        own = of_own.sum(axis=1) - of_own[:, fit.test].sum(axis=1)
        offset[:, fit.test] = (own / np.maximum(count, 1) / 2)[:, None]
    best = (found - offset).argmax(axis=2)
    right = (member & (best[:, :, None] == np.arange(number))).sum(axis=1) / np.maximum(rows[:, 0], 1)
    there = (rows[:, 0] > 0) & (rows[:, 0] < n)
    return Scores(balanced=_mean(right, rows[:, 0] > 0), auc=_mean(_auc(found, member), there))


def _auc(scores: Floats, member: Flags) -> Floats:
    """Return the area under the ROC curve of each group against the others, ``[B, G]``; ties count half."""
    n = scores.shape[1]
    order = np.argsort(scores, axis=1)
    sorted_scores = np.take_along_axis(scores, order, axis=1)
    inside = np.take_along_axis(member, order, axis=1)
    new = np.ones(scores.shape, bool)
    new[:, 1:] = np.diff(sorted_scores, axis=1) > 1e-12
    at = np.arange(n)[None, :, None]
    first = np.maximum.accumulate(np.where(new, at, 0), axis=1)
    last_of = np.ones(scores.shape, bool)
    last_of[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(last_of, at, n)[:, ::-1], axis=1)[:, ::-1]
    rank = (first + last) / 2 + 1
    rows = member.sum(axis=1)
    above = np.where(inside, rank, 0.0).sum(axis=1) - rows * (rows + 1) / 2
    return np.asarray(above / np.maximum(rows * (n - rows), 1))


def _mean(values: Floats, there: Flags) -> Floats:
    return np.asarray(np.where(there, values, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sources:
    """The groups of sources.

    Attributes:
        groups: int64 ``[N]``: of the samples.
        place: int64 ``[N]``: index of the sample's source among those with a single group; -1 if it has several.
        single: int64 ``[P]``: the groups of those sources.
        mixed: int64 ``[Q]``: the samples of the other sources, by source.
        owner: int64 ``[Q]``: their sources.
    """

    groups: Ints
    place: Ints
    single: Ints
    mixed: Ints
    owner: Ints

    @classmethod
    def of(cls, groups: Ints, source: Ints) -> _Sources:
        first = np.full(int(source.max(initial=-1)) + 1, -1)
        first[source] = groups
        several = np.zeros(len(first), bool)
        several[source[groups != first[source]]] = True
        place = np.where(several, -1, np.cumsum(~several) - 1)[source]
        mixed = np.flatnonzero(place < 0)
        mixed = mixed[np.argsort(source[mixed], kind="stable")]
        return cls(groups=groups, place=place, single=first[~several], mixed=mixed, owner=source[mixed])

    def drawn(self, generator: np.random.Generator) -> Ints:
        """Return permuted groups, int64 ``[N]``."""
        found = np.append(generator.permutation(self.single), 0)[self.place]
        shuffled = np.lexsort((generator.random(len(self.mixed)), self.owner))
        found[self.mixed] = self.groups[self.mixed[shuffled]]
        return np.asarray(found)
