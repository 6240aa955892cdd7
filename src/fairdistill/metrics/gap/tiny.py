"""Upper ends where a group has far fewer rows than the others: it may be the worst although it does not look so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.gap.evidence import Evidence
from fairdistill.metrics.gap.true_gaps import Over
from fairdistill.metrics.intervals import wilson_at

_FEW = 10  # rows
_RATIO = 4  # times fewer rows than the median group


def tiny_group_ends(evidence: Evidence, which: Over, tails: Sequence[float]) -> Floats:
    """Return upper ends of gaps that allow for groups of very few rows, ``[tails, K]`` or ``[tails, 1]``.

    A group is tiny in a quantity if it has fewer than 10 independent rows or less than a quarter of the median group's.
    Its difference from the best and from the worst of the others has Newcombe's interval (*Interval estimation for the
    difference between independent proportions*, 1998, method 10), which holds for a handful of rows. The mean combines
    the classes by the same rule: distances from the estimates add up in squares. 0 without a tiny group.
    """
    part, whole = evidence.tally(evidence.rows.counts)
    rows = evidence.independent_rows
    tiny = (rows > 0) & ((rows < _FEW) | (_RATIO * rows < np.median(rows, axis=0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (part / whole).mean(axis=-3)
    found = [_end(share, rows, tiny, which, -float(ndtri(tail))) for tail in tails]
    return np.stack(found)


def _end(share: Floats, rows: Ints, tiny: Flags, which: Over, z: float) -> Floats:
    best, worst = _pairs(share, rows, tiny, z), _pairs(1 - share, rows, tiny, z)
    value = np.where(best[1] > worst[1], best[0], worst[0])
    end = np.maximum(best[1], worst[1])
    concerned = tiny.any(axis=0)
    if which == "each":
        return np.where(concerned, end, 0.0)
    if not concerned.any():
        return np.zeros(1)
    if which == "max":
        return np.array([end[concerned].max()])
    return np.array([min(1.0, value.mean() + np.sqrt(((end - value) ** 2).mean() / len(value)))])


def _pairs(share: Floats, rows: Ints, tiny: Flags, z: float) -> tuple[Floats, Floats]:
    """Return the difference and its upper end for the pair with the largest: the best group, and a tiny or the worst.

    Where the best group is tiny itself, its own partner is the best of the others.
    """
    low, high = wilson_at(share, rows, z)
    below, above = share - low, high - share
    order = np.argsort(share, axis=0, kind="stable")
    groups, quantities = share.shape
    columns = np.arange(quantities)
    partner = np.where(np.arange(groups)[:, None] == order[-1], order[-2], order[-1])
    difference = share[partner, columns] - share
    end = difference + np.hypot(above[partner, columns], below)
    wanted = tiny.copy()
    wanted[order[0], columns] = True
    end = np.where(wanted, end, -np.inf)
    at = end.argmax(axis=0)
    return difference[at, columns], np.minimum(end[at, columns], 1.0)
