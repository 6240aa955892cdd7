"""Gaps of fractions, and the true gaps that an interval's upper end supposes (`upper.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from fairdistill.metrics.arrays import Floats, spread

Over = Literal["each", "mean", "max"]

_PLAUSIBLE = 2.0  # standard errors by which a gap may differ from the observed one, if the largest is wanted
_ROUNDING = 1e-9


def over(gaps: Floats, which: Over) -> Floats:
    """Return the gaps ``[..., K]`` themselves, or their mean or maximum over the last axis."""
    if which == "each":
        return gaps
    return np.asarray(gaps.mean(axis=-1) if which == "mean" else gaps.max(axis=-1))


def places_of(shares: Floats, noise: Floats) -> Floats:
    """Return where each group lies between the worst, -0.5, and the best, 0.5: ``[M, G, K]``.

    Without a gap, the two noisiest groups are the best and the worst: of them the least is known.

    Args:
        shares: float64 ``[M, G, K]``.
        noise: float64 ``[B, M, G, K]``.
    """
    observed = spread(shares)[:, None]
    middle = (shares.max(axis=-2, keepdims=True) + shares.min(axis=-2, keepdims=True)) / 2
    noisiest = noise.var(axis=0)
    by_noise = np.argsort(np.argsort(-noisiest, axis=-2, kind="stable"), axis=-2)
    apart = np.where(by_noise == 0, 0.5, np.where(by_noise == 1, -0.5, 0.0))
    if (observed == 0).any():
        # Shares of two classes that sum to 1 err in opposite directions, so their gaps have opposite directions too.
        drawn = (apart * noise).sum(axis=-2)
        noisiest_of = np.expand_dims(drawn.var(axis=0).argmax(axis=-1), (0, -1))
        deviation = drawn.std(axis=0)
        together = (drawn * np.take_along_axis(drawn, noisiest_of, axis=-1)).mean(axis=0)
        opposite = together < -0.5 * deviation * deviation.max(axis=-1, keepdims=True)
        apart = apart * np.where(opposite, -1, 1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(observed > 0, (shares - middle) / np.where(observed > 0, observed, 1.0), apart))


def widest_places(direction: Floats, observed: Floats, error: Floats) -> Floats:
    """Return where the groups may lie, ``[M, G, K]`` in [-0.5, 0.5], so that chance adds the most to the gap.

    A group that is plausibly as good as the best, or as bad as the worst, is assumed to be: the largest of many equal
    groups looks larger than the largest of a few.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(observed > 0, _PLAUSIBLE * error / observed, np.inf)[:, None]
    best, worst = direction + reach >= 0.5, direction - reach <= -0.5
    snapped = np.where(best & (~worst | (direction >= 0)), 0.5, np.where(worst, -0.5, direction))
    extreme = np.abs(np.abs(direction) - 0.5) < 1e-12  # the best and the worst stay
    return np.asarray(np.where(extreme, direction, snapped))


def shrunk(observed: Floats, variance: Floats) -> Floats:
    """Return gaps ``[M, K]`` shrunk towards their mean by the noise's part of their variance (James and Stein).

    Observed gaps differ more than the true ones, and more unequal gaps hide more of themselves in the noise.
    """
    mean = observed.mean(axis=-1, keepdims=True)
    spread_ = observed.var(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = np.where(spread_ > 0, 1 - variance.mean(axis=-1, keepdims=True) / spread_, 0.0)
    return np.asarray(mean + np.clip(signal, 0, 1) * (observed - mean))


GapPath = Callable[[Floats], Floats]
"""The gaps ``[M, K]`` to assume, given what is made of them."""


def path_of_largest(observed: Floats, error: Floats) -> GapPath:
    """Return the gaps ``[M, K]`` to assume for an upper end, given the largest.

    All others are as small as plausible: then the largest looks smallest. Of several that look largest, the noisiest is
    taken to be so, and any other with the very same noise: that of P(pred = c) and of 1 - P(pred = c).
    """
    tied = observed >= observed.max(axis=-1, keepdims=True) - _ROUNDING
    noisiest = np.where(tied, error, -1.0).max(axis=-1, keepdims=True)
    largest = tied & (error >= noisiest * (1 - _ROUNDING))
    bottom = np.maximum(observed - _PLAUSIBLE * error, 0)
    return lambda value: np.where(largest, value, np.minimum(value, bottom))
