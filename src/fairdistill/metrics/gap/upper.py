"""Upper ends and estimates of gaps, by inverting a test: true gaps under which the observed one is not unusual.

A gap is the largest minus the smallest of several noisy fractions, so on average it is too large, and the percentile
interval of the bootstrap repeats that error. Here, the true gaps are supposed to be a multiple of the observed ones,
test sets are drawn around them, and the upper end is the largest multiple for which a gap like the observed one is not
unusually small. Where only a few quantities have a gap, this makes the upper end too large rather than too small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fairdistill.metrics.arrays import Floats, spread
from fairdistill.metrics.gap.true_gaps import GapPath, Over, over, path_of_largest, places_of, shrunk, widest_places

_ELEMENTS = 2**22  # of the noise, where more would take seconds
_LEAST = 200  # draws
_PRECISION = 1e-4  # of the ends
_STEPS = 18
_SHRINKAGE = np.linspace(0, 6, 121)  # standard errors


class GapInversion:
    """The gaps of K fractions in G groups, for M models.

    Args:
        shares: float64 ``[M, G, K]``: observed fractions of K quantities in G groups, for M models on one test set.
        noise: float64 ``[B, M, G, K]``: how far the fractions of B drawn test sets are from their expectation.
        which: each of the K gaps, or their mean or maximum.
        seed_noise: float64 ``[B]`` or ``[B, K]``: what the choice of seeds adds to the mean over the models.
        resolution: smallest step of a fraction.
    """

    def __init__(
        self, shares: Floats, noise: Floats, which: Over, seed_noise: Floats | float = 0.0, resolution: float = 0.0
    ) -> None:
        observed = spread(shares)
        draws = max(_LEAST, _ELEMENTS // max(1, shares.size))
        noise = noise[:draws]
        variance = 2 * noise.var(axis=0).mean(axis=-2)
        # Draws come last, [G, K, M, B]: sums and extremes over the others are then taken of whole vectors.
        of_groups = noise.transpose(2, 3, 1, 0)
        self._two = len(of_groups) == 2  # whose gap is their difference
        of_groups = of_groups[0] - of_groups[1] if self._two else of_groups
        self._noise = np.ascontiguousarray(of_groups, dtype=np.float32)
        self._extra = np.broadcast_to(np.asarray(seed_noise), np.shape(seed_noise) or (len(noise),))[:draws]
        self._middle = (shares.max(axis=-2, keepdims=True) + shares.min(axis=-2, keepdims=True)) / 2
        self._which: Over = which
        self._places = places_of(shares, noise)
        self._widest = widest_places(self._places, observed, np.sqrt(variance / 2))
        self.seen = over(observed, which).mean(axis=0)
        step = resolution / len(shares) / (observed.shape[-1] if which == "mean" else 1)
        self._same = max(0.5 * step, 1e-6)
        self._high_path: GapPath
        self._likely_path: GapPath
        if which == "max":
            self._high_path = self._likely_path = path_of_largest(observed, np.sqrt(variance))
        elif which == "mean":
            self._high_path = _in_proportion(shrunk(observed, variance), which)
            self._likely_path = _thresholded(observed, np.sqrt(variance))
        else:
            self._high_path = self._likely_path = _in_proportion(observed, which)

    def high(self, tails: Sequence[float]) -> list[Floats]:
        """Return the upper end for each tail: the gaps under which so large a fraction shows at most the observed."""
        # A lucky test set shows less than chance usually does and would exclude even 0. Its upper end is that of a
        # typical test set without a gap (Cowan, Cranmer, Gross and Vitells, Power-Constrained Limits, 2011).
        at_zero = self._drawn(np.zeros(self.seen.shape), self._high_path, self._places)
        usual = np.maximum(self.seen, np.median(at_zero, axis=0))
        return [self._inverted(tail, usual, self._high_path, self._places) for tail in tails]

    def estimate(self) -> Floats:
        """Return the median-unbiased estimate.

        It is the mean of two: with the groups where they were seen, and as far out as they plausibly are.
        """
        ends = [self._inverted(0.5, self.seen, self._likely_path, places) for places in (self._places, self._widest)]
        return np.asarray((ends[0] + ends[1]) / 2)

    def _drawn(self, gap: Floats, path: GapPath, places: Floats) -> Floats:
        supposed = (self._middle + path(gap)[..., None, :] * places).transpose(1, 2, 0)[..., None]
        if self._two:
            apart = np.abs(self._noise + (supposed[0] - supposed[1]).astype(np.float32))  # [K, M, B]
        else:
            shares = self._noise + supposed.astype(np.float32)
            apart = shares.max(axis=0) - shares.min(axis=0)
        gaps = over(np.moveaxis(apart, 0, -1), self._which).mean(axis=0, dtype=np.float64)
        return np.asarray(gaps + (self._extra if self._extra.ndim == gaps.ndim else self._extra[:, None]))

    def _inverted(self, tail: float, seen: Floats, path: GapPath, places: Floats) -> Floats:
        def above(gap: Floats) -> Floats:
            return np.asarray(quantile(self._drawn(gap, path, places), tail) - seen - self._same)

        with np.errstate(invalid="ignore"):
            return np.where(np.isnan(seen), np.nan, root_of(above, np.nan_to_num(seen)))


def quantile(values: Floats, share: float) -> Floats:
    """Return ``np.quantile(values, share, axis=0)``, in a fifth to a half of its time; NaN where one is NaN."""
    place = share * (len(values) - 1)
    at, between = int(place), place % 1
    parted = np.partition(values, at, axis=0)
    low = parted[at]
    high = parted[at + 1 :].min(axis=0) if at + 1 < len(values) else low
    return np.asarray(low + (high - low) * between if between < 0.5 else high - (high - low) * (1 - between))


def root_of(above: Callable[[Floats], Floats], guess: Floats) -> Floats:
    """Return where an increasing function of [0, 1] becomes positive; 0 or 1 if it always or never is.

    False position with the Illinois rule (Dowell and Jarratt, 1971), and a bisection every third step.
    """
    low, high = np.zeros(guess.shape), np.ones(guess.shape)
    at_low, at_high = above(low), above(high)
    always, never = at_low > 0, at_high <= 0
    side = np.zeros(guess.shape, np.int64)
    for step in range(_STEPS):
        with np.errstate(invalid="ignore", divide="ignore"):
            middle = low - at_low * (high - low) / (at_high - at_low)
        inside = (middle > low) & (middle < high)
        middle = np.where(inside & (step % 3 != 2), middle, (low + high) / 2)
        # Not closer to an end than wanted: next to the root, that would move one end by nothing, again and again.
        middle = np.clip(middle, low + _PRECISION / 2, np.maximum(high - _PRECISION / 2, low + _PRECISION / 2))
        if step == 0:
            middle = np.clip(guess, 1e-6, 1 - 1e-6)
        found = above(middle)
        positive = found > 0
        at_low = np.where(positive, np.where(side == 1, at_low / 2, at_low), found)
        at_high = np.where(positive, found, np.where(side == -1, at_high / 2, at_high))
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
        side = np.where(positive, 1, -1)
        if (always | never | (high - low < _PRECISION) | np.isnan(found)).all():
            break
    return np.asarray(np.where(always, 0.0, np.where(never, 1.0, high)))


def _in_proportion(gaps: Floats, which: Over) -> GapPath:
    """Return multiples of gaps ``[M, K]``, given each of them or their mean; all are equal if these are 0."""
    total = over(gaps, which).mean(axis=0)
    weight = np.where(total > 0, gaps, 1.0) / np.where(total > 0, total, 1.0)
    return lambda value: weight * value


def _thresholded(observed: Floats, error: Floats) -> GapPath:
    """Return gaps ``[M, K]`` to assume given their mean: gaps within noise shrink first, clear ones keep their size.

    A gap x with standard error s becomes x max(0, 1 - (k s / x)^2) (the non-negative garrote; Breiman, 1995), with k
    such that the mean is as wanted; above the observed mean, all gaps are a multiple of the observed ones.
    """
    ratio = error / np.where(observed > 0, observed, 1.0)
    kept = [observed * np.maximum(0.0, 1 - (k * ratio) ** 2) for k in _SHRINKAGE]
    means = np.array([gaps.mean() for gaps in kept])
    return lambda value: _at_mean(float(value), kept, means)


def _at_mean(value: float, kept: list[Floats], means: Floats) -> Floats:
    if not value < means[0] or means[0] <= 0:
        return np.asarray(kept[0] * (value / means[0]) if means[0] > 0 else np.full_like(kept[0], value))
    at = min(int(np.searchsorted(-means, -value, side="left")), len(means) - 1)  # the first mean that is at most value
    if means[at] > value:  # clear gaps remain even there
        return np.asarray(kept[at] * (value / means[at]))
    share = (value - means[at]) / (means[at - 1] - means[at]) if means[at - 1] > means[at] else 0.0
    return np.asarray(share * kept[at - 1] + (1 - share) * kept[at])
