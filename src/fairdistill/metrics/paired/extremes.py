"""How the best and the worst group, and the gap between them, change from one model to another.

The largest of several noisy accuracies is too large on average, and by how much depends on how far apart the true ones
are: little if one group is clearly the best, much if all are equal. Two models' errors of this kind differ if their
accuracies do, so the observed difference between two gaps is biased even if both gaps are equal. Here each model's
largest value is therefore enclosed by two estimates.

* The *inner* one chooses and measures on independent data (*data fission*: Leiner, Duan, Wasserman and Ramdas, 2023):
  if n is a fresh draw of the noise, p + f n and p - n / f are uncorrelated, so the group that is the largest in the
  first is measured by the second without bias. Its true value is at most that of the truly largest, so the inner
  estimate is too small, if anything.
* The *outer* one adds what the choice lost on the observed values, scaled so that it is too large, if anything, or
  too small by at most a seventh of the noise (:func:`_scale`).

A difference between two models then lies, on average, between inner minus outer and outer minus inner. To both ends the
noise of the chosen groups is added, drawn for both models together. `benchmarks/coverage.py` measures how well that
works.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from fairdistill.metrics.arrays import Floats, spread
from fairdistill.metrics.estimate import UNDEFINED, Estimate
from fairdistill.metrics.paired.changes import GapChange
from fairdistill.metrics.resampling import Resampled

_FISSION = np.sqrt(0.5)  # of the noise: the choice is nearly as good as on all data, the measurement not too noisy
_CHUNK_BYTES = 2**24
_TAIL = 5  # draws that must lie beyond an end; else the noise is taken to be normal
_DIGITS = 12  # of a fraction, beyond which there is only rounding
_HALVINGS = 10  # of [0, 1]: a share is found to 0.001


@dataclass(frozen=True)
class Between:
    """The second model's value minus the first's, enclosed; a linear quantity.

    Attributes:
        lower: on average at most the true difference.
        upper: on average at least that.
        errors: float64 ``[B]``: the noise of both.
        by_seed: float64 ``[M]``: the observed difference of each seed.
    """

    lower: float
    upper: float
    errors: Floats
    by_seed: Floats

    def __add__(self, other: Between) -> Between:
        return Between(
            self.lower + other.lower, self.upper + other.upper, self.errors + other.errors, self.by_seed + other.by_seed
        )

    def __mul__(self, factor: float) -> Between:
        ends = sorted((factor * self.lower, factor * self.upper))
        return Between(ends[0], ends[1], factor * self.errors, factor * self.by_seed)

    def change(self, both: Resampled) -> GapChange:
        """Return the difference with its interval and its p-value, which agree; ``both`` gives seeds and confidence."""
        value = float(self.by_seed.mean())
        if np.isnan(value):
            return GapChange(*[value] * 5)
        errors = self.errors + both.seed_noise(self.by_seed)
        errors = np.sort(np.round(errors, _DIGITS))
        lower, upper = (round(end, _DIGITS) for end in (self.lower, self.upper))
        if not self.by_seed.any():  # as of a model against itself; what is left is the error of the draws
            lower, upper = min(lower, 0.0), max(upper, 0.0)
        draws, level = len(errors), 1 - both.confidence
        # An end is a value that one draw fewer would not exclude, so that p <= level where the interval excludes 0.
        beyond = int(np.floor(level * (draws + 1) / 2 + 1e-9)) - 1
        if beyond < _TAIL:
            error = float(errors.std())
            reach = float(ndtri(1 - level / 2)) * error
            low, high = lower - reach, upper + reach
            nearest = max(lower, -upper)
            p_value = 2 * float(ndtr(-nearest / error)) if error > 0 else float(nearest <= 0)
        else:
            low, high = lower - errors[draws - 1 - beyond], upper - errors[beyond]
            larger, smaller = (errors >= lower).sum(), (errors <= upper).sum()
            p_value = 2 * (1 + min(larger, smaller)) / (draws + 1)
        low, high = (float(np.clip(end, -1, 1)) for end in (low, high))
        return GapChange(value, low, high, float(min(1.0, p_value)), (lower + upper) / 2)

    def estimate(self, both: Resampled) -> Estimate:
        """Return the difference with its interval."""
        found = self.change(both)
        return Estimate(found.value, found.low, found.high)


@dataclass(frozen=True)
class Extremes:
    """The changes of the best groups, of the worst groups, and of the gaps between them.

    Attributes:
        best: mean over the classes of the best group's accuracy.
        worst: the same of the worst group's.
        deo_a: their difference.
        deo_m: the largest gap of a class.
    """

    best: Between
    worst: Between
    deo_a: Between
    deo_m: Between

    def share_levelled_down(self, both: Resampled) -> Estimate:
        """Return which part of a smaller DEO_A comes from the best groups getting worse; NaN if it did not shrink.

        A part s is plausible if (1 - s) times the best groups' change plus s times the worst groups' may be 0
        (Fieller, *Some problems in interval estimation*, 1954).
        """
        gap = self.deo_a.change(both)
        if not gap.value < -1e-9:
            return UNDEFINED
        value = min(1.0, max(0.0, float(self.best.by_seed.mean()) / gap.value))
        if not gap.high < 0:
            return Estimate(value, 0.0, 1.0)

        def weighed(share: float) -> GapChange:
            return (self.best * (1 - share) + self.worst * share).change(both)

        return Estimate(
            value, _first(lambda share: weighed(share).high >= 0), _first(lambda share: weighed(share).low > 0)
        )


def _first(holds: Callable[[float], bool]) -> float:
    """Return the smallest value in [0, 1] from which a condition holds; 1 if it never does."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def extremes(both: Resampled, widening: Floats | None = None) -> Extremes:
    """Return how the extremes change between two models on one test set.

    Args:
        both: the first model and the second; for several seeds, all of the first and then all of the second.
        widening: float64 ``[B, G]``: by what to multiply the noise that each group adds to the ends of intervals.
    """
    shares, noise = both.shares, both.noise
    parts = []
    size = max(2, _CHUNK_BYTES // (8 * max(1, shares.size)))
    bounds = np.arange(0, len(noise), size)[: max(1, len(noise) // size)]  # no chunk of a single draw
    centre = noise.mean(axis=0)
    widening = np.ones((len(noise), 1)) if widening is None else widening
    for chunk, wider in zip(np.split(noise, bounds[1:]), np.split(widening, bounds[1:]), strict=True):
        # Draws come last, [M, G, C, B]: sums and extremes over the others are then taken of whole vectors.
        centred = np.ascontiguousarray(np.moveaxis(chunk - centre, 0, -1))
        other = np.roll(centred, 1, axis=-1) * wider.T[:, None]
        top, bottom = (_extreme(shares[..., None], centred, other, sign) for sign in (1, -1))
        parts.append([top.mean(), bottom.mean(), (top + bottom).largest()])
    of_best, of_worst, of_largest = (_Chosen.joined(each) for each in zip(*parts, strict=True))
    classes = shares.shape[-1]
    best = of_best.between(shares.max(axis=1).mean(axis=-1), classes=classes)
    opposite = of_worst.between((-shares).max(axis=1).mean(axis=-1), classes=classes)
    return Extremes(
        best=best,
        worst=opposite * -1,
        deo_a=best + opposite,
        deo_m=of_largest.between(spread(shares).max(axis=-1), classes=1),
    )


def _scale(classes: int) -> float:
    """Return by what to multiply the loss of the choice.

    With 1 / f^2 + 1 = 3, the outer estimate is the observed value corrected for its bias as by the bootstrap. For two
    groups, in standard errors of their difference, that is 0.4 too large if they are equal and 0.09 too small if they
    are 1.3 apart; with 4 it is never too small. A lack of 0.09 is little beside the noise of one class, but not beside
    that of a mean over many, which shrinks with the root of their number.
    """
    return max(3.0, 4 - 2 / math.sqrt(classes))


class _Chosen(NamedTuple):
    """What is the largest with a part of the noise added, in B draws: ``[M, C, B]`` or ``[M, B]``.

    Attributes:
        moved: its value with that part.
        share: its observed value.
        noise: its noise in this draw.
        other: its noise in another draw, widened.
    """

    moved: Floats
    share: Floats
    noise: Floats
    other: Floats

    def __add__(self, other: _Chosen) -> _Chosen:  # type: ignore[override]  # the sum, not one tuple after the other
        return _Chosen(*map(np.add, self, other))

    def mean(self) -> _Chosen:
        """Return the mean over the classes."""
        return _Chosen(*(each.mean(axis=-2) for each in self))

    def largest(self) -> _Chosen:
        """Return what the class with the largest value shows."""
        weight = np.asarray(self.moved == self.moved.max(axis=-2, keepdims=True), np.float64)
        weight /= np.maximum(weight.sum(axis=-2, keepdims=True), 1)
        return _Chosen(*((weight * each).sum(axis=-2) for each in self))

    @staticmethod
    def joined(parts: tuple[_Chosen, ...]) -> _Chosen:
        """Return the draws of several parts as one."""
        return _Chosen(*(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)))

    def between(self, observed: Floats, *, classes: int) -> Between:
        """Return the difference between the two halves of the models.

        Args:
            observed: float64 ``[M]``: the largest value of each.
            classes: number of classes that it is the mean of.
        """
        inner = (self.share - self.noise / _FISSION).mean(axis=-1)
        outer = inner + _scale(classes) * (observed - self.share.mean(axis=-1))
        (inner_first, inner_second), (outer_first, outer_second), (first, second) = (
            np.split(each, 2) for each in (inner, outer, observed)
        )
        of_first, of_second = np.split(self.other, 2)
        return Between(
            lower=float(inner_second.mean() - outer_first.mean()),
            upper=float(outer_second.mean() - inner_first.mean()),
            errors=of_second.mean(axis=0) - of_first.mean(axis=0),
            by_seed=second - first,
        )


def _extreme(shares: Floats, noise: Floats, other: Floats, sign: int) -> _Chosen:
    """Return the largest over the groups of ``sign`` times shares ``[M, G, C, 1]`` with noise ``[M, G, C, B]``."""
    moved = shares + _FISSION * noise
    found = moved.max(axis=1) if sign > 0 else moved.min(axis=1)
    weight = (moved == found[:, None]).astype(np.float64)
    weight /= sign * np.maximum(weight.sum(axis=1, keepdims=True), 1)  # groups that look equal share it, in any order
    return _Chosen(sign * found, *((weight * each).sum(axis=1) for each in (shares, noise, other)))
