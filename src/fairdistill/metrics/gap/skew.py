"""Noise of fractions near 0 or 1: an observed 100% can be worse, but not better."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from fairdistill.metrics.arrays import Floats
from fairdistill.metrics.gap.evidence import Evidence
from fairdistill.metrics.intervals import wilson_at

_MOST = 3.0


def stretch(evidence: Evidence, noise: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Return by how much to stretch the noise of each fraction, downwards and upwards, ``[M, G, K]`` each, at least 1.

    A bootstrap draws from the observed fraction, where there is less noise than at a true fraction closer to one half.
    The stretched noise reaches as far as Wilson's interval (1927), for as many independent rows as have this noise.

    Args:
        evidence: the rows.
        noise: float64 ``[B, M, G, K]``: what drawn test sets add to the fractions.
        confidence: of the interval, two-sided.
    """
    part, whole = evidence.tally(evidence.rows.counts)
    z = -float(ndtri((1 - confidence) / 2))
    deviation = noise.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, smooth = part / whole, (part + 0.5) / (whole + 1)
        rows = smooth * (1 - smooth) / deviation**2
        low, high = wilson_at(share, rows, z)
        reach = (share - low) / (z * deviation), (high - share) / (z * deviation)
    down, up = (np.clip(np.nan_to_num(each, nan=1.0), 1.0, _MOST) for each in reach)
    return down, up
