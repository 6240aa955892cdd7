"""Gaps between groups with their intervals, their noise floor and their p-value.

The largest minus the smallest of several noisy fractions is too large on average, so a gap needs care at both ends. The
lower end is a cross-fitted contrast (`contrast.py`), the upper end an inverted test (`upper.py`), the floor and the
p-value come from random exchanges of the groups (`null.py`). The lower end is above 0 if and only if the p-value is at
most 1 - confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, spread
from fairdistill.metrics.gap.contrast import Contrast, contrast_of
from fairdistill.metrics.gap.evidence import Evidence
from fairdistill.metrics.gap.null import Null, null_of
from fairdistill.metrics.gap.skew import stretch
from fairdistill.metrics.gap.tiny import tiny_group_ends
from fairdistill.metrics.gap.true_gaps import Over, over
from fairdistill.metrics.gap.upper import GapInversion
from fairdistill.metrics.gap.values import NO_GAP, UNDEFINED_GAP, Gap

SeedNoise = Callable[[Floats], Floats]


class Ends(NamedTuple):
    """Ends, estimates and p-values of some gaps, float64 ``[K]`` each."""

    low: Floats
    high: Floats
    estimate: Floats
    p_value: Floats
    at_least: Floats
    at_most: Floats


class Gaps:
    """The gaps of K quantities between G groups, for M models (the seeds of one recipe) on one test set.

    Args:
        shares: float64 ``[M, G, K]``: the observed fractions; NaN in an empty cell.
        noise: float64 ``[B, M, G, K]``: how far the fractions of B drawn test sets are from their expectation.
        evidence: the rows behind the fractions.
        confidence: of the intervals.
        seed_noise: turns values of the models ``[M, ...]`` into what the choice of seeds adds to their mean,
            ``[B, ...]``; None: nothing.

    Example:
        >>> from fairdistill.metrics.gap.grouped import GroupedRows
        >>> at = np.arange(400)
        >>> right = (at % 20 > at % 2 * 10).astype(np.int64)  # 95% of one group, 45% of the other
        >>> rows = GroupedRows(groups=at % 2, strata=at // 200, codes=right, sources=at, shape=(2, 2, 2))
        >>> evidence = Evidence(
        ...     rows=rows, independent_rows=rows.independent_rows,
        ...     tally=lambda counts: (counts[..., None, :, :, 1], counts.sum(-1)[..., None, :, :]))
        >>> noise = 0.05 * np.random.default_rng(0).standard_normal((1000, 1, 2, 2))
        >>> part, whole = evidence.tally(rows.counts)
        >>> gap = Gaps(part / whole, noise, evidence, confidence=0.95).of("mean")[0]
        >>> 0.2 < gap.low < gap.value < gap.high < 0.6, gap.p_value < 0.001
        (True, True)
    """

    def __init__(
        self,
        shares: Floats,
        noise: Floats,
        evidence: Evidence,
        *,
        confidence: float,
        seed_noise: SeedNoise | None = None,
    ) -> None:
        self._shares, self._noise, self._evidence = shares, noise, evidence
        self._confidence = confidence
        self._seed_noise: SeedNoise = seed_noise or (lambda values: np.zeros((len(noise), *values.shape[1:])))

    @cached_property
    def null(self) -> Null:
        """What random exchanges of the groups show."""
        return null_of(self._evidence)

    @cached_property
    def contrast(self) -> Contrast:
        """What halves of the test set chose and measured."""
        return contrast_of(self._evidence)

    def among(self, kept: Flags, evidence: Evidence) -> Gaps:
        """Return the gaps of some quantities ``[K]`` which are strata, each by itself, with the rows behind them.

        Groups are exchanged within a stratum, so that the exchanges remain as they are.
        """
        found = Gaps(
            self._shares[..., kept],
            self._noise[..., kept],
            evidence,
            confidence=self._confidence,
            seed_noise=self._seed_noise,
        )
        null = Null(self.null.gaps[..., kept], self.null.heterogeneity[:, kept], self.null.observed[kept])
        found.__dict__["null"] = null  # instead of the cached property
        return found

    def of(self, which: Over) -> list[Gap]:
        """Return each of the K gaps, or in a list of one their mean or their maximum.

        The ends of the maximum are at least those of the mean.
        """
        defined: Flags = np.asarray(~np.isnan(self._shares).any(axis=(0, 1)))
        if self._shares.shape[1] == 1:
            return [NO_GAP if each else UNDEFINED_GAP for each in (defined if which == "each" else [defined.all()])]
        values = over(spread(self._shares[..., defined]), which) if defined.any() else np.zeros((1, 0))
        if which == "each":
            found = iter(_gaps(values.mean(axis=0), self._ends(which, defined), self._floor(which, defined)))
            return [next(found) if each else UNDEFINED_GAP for each in defined.tolist()]
        if not defined.all():
            return [UNDEFINED_GAP]
        ends = self._mean_ends
        if which == "max":
            own = self._ends(which, defined)
            high, at_most = np.maximum(own.high, ends.high), np.maximum(own.at_most, ends.at_most)
            ends = own._replace(high=high, at_most=at_most)
        return _gaps(np.atleast_1d(values.mean(axis=0)), ends, self._floor(which, defined))

    @cached_property
    def _mean_ends(self) -> Ends:
        return self._ends("mean", np.ones(self._shares.shape[-1], bool))

    def _ends(self, which: Over, defined: Flags) -> Ends:
        tails = self._tails
        alpha = tails[1]
        p_value = self.null.p_values()[defined] if which == "each" else np.atleast_1d(self.null.p_value())
        lower = self._lower(which, tails)
        if which == "each":
            lower = lower[:, defined]
        elif which == "max":  # which is at least the mean
            lower = np.maximum(lower, self._lower("mean", tails))
        step = self._step(which if which != "max" else "mean")  # so that the maximum's is not below the mean's
        # Only the test of exchanged groups rules out that there is no gap.
        low, at_least = (np.where(p_value <= alpha + 1e-12, np.maximum(end, step), 0.0) for end in lower)
        shares, noise = self._shares[..., defined], self._noise[..., defined]
        seeds = self._seed_noise(over(spread(shares), which))
        inverted = GapInversion(shares, noise, which, seeds, self._evidence.resolution)
        upper = np.maximum(np.stack([np.atleast_1d(end) for end in inverted.high(tails)]), self._tiny(which, defined))
        at_most = np.maximum(upper[1], at_least)
        high = np.maximum(upper[0], at_most)  # both are found to a ten-thousandth
        estimate = np.clip(np.atleast_1d(inverted.estimate()), low, high)
        return Ends(low, high, estimate, p_value, at_least, at_most)

    @property
    def _tails(self) -> tuple[float, float]:
        """Of an interval's end and of a one-sided end."""
        return (1 - self._confidence) / 2, 1 - self._confidence

    def _step(self, which: Over) -> float:
        models, _, quantities = self._shares.shape
        return float(self._evidence.resolution / models / (quantities if which == "mean" else 1))

    def _lower(self, which: Over, tails: tuple[float, float]) -> Floats:
        """Return the lower ends that the contrast gives, ``[2, K]`` or ``[2, 1]``."""
        found, noise = self.contrast, self._filled_noise
        models, _, quantities = self._shares.shape
        if which == "each":
            value = found.each
            moved = np.einsum("bmgk,mgk->bk", noise, self._stretched(found.weight)) / models
        else:
            value = found.largest if which == "max" else found.each.mean(axis=1)
            weight = found.weight_of_largest if which == "max" else found.weight / quantities
            moved = noise.reshape(len(noise), -1) @ self._stretched(weight).ravel() / models
        moved = moved + self._seed_noise(value)
        return np.asarray((value.mean(axis=0) - np.quantile(moved, 1 - np.array(tails), axis=0)).reshape(2, -1))

    def _stretched(self, weight: Floats) -> Floats:
        """Return weights that make up for too little noise near 0 and 1: better groups may be worse, worse better."""
        down, up = self._stretch
        return np.asarray(weight * np.where(weight > 0, down, up))

    @cached_property
    def _stretch(self) -> tuple[Floats, Floats]:
        return stretch(self._evidence, self._noise, confidence=self._confidence)

    @cached_property
    def _filled_noise(self) -> Floats:
        return np.nan_to_num(self._noise) if np.isnan(self._shares).any() else self._noise

    def _tiny(self, which: Over, defined: Flags) -> Floats:
        """Return upper ends that allow for groups of very few rows, ``[2, K]`` or ``[2, 1]``."""
        found = tiny_group_ends(self._evidence, which, self._tails)
        return found[:, defined] if which == "each" else found

    def _floor(self, which: Over, defined: Flags) -> Floats:
        """Return the gaps of exchanged groups, ``[draws, K]`` or ``[draws, 1]``."""
        drawn = over(self.null.gaps[..., defined], which).mean(axis=1)
        return np.asarray(drawn if which == "each" else drawn[:, None])


def _gaps(values: Floats, ends: Ends, floor: Floats) -> list[Gap]:
    floor_low, floor_high = np.quantile(floor, [0.025, 0.975], axis=0)
    columns = zip(
        values, ends.low, ends.high, ends.estimate, floor.mean(axis=0), floor_low, floor_high, ends.p_value,
        ends.at_least, ends.at_most, strict=True,
    )  # fmt: skip
    return [Gap(*map(float, column)) for column in columns]
