"""Gaps without a gap: what test sets show whose groups are exchanged at random, and how unusual the observed one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Floats, spread
from fairdistill.metrics.gap.evidence import Evidence

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Null:
    """B random exchanges of groups.

    Attributes:
        gaps: float64 ``[B, M, K]``: the gap of each quantity and model; NaN where a group has no rows.
        heterogeneity: float64 ``[B, K]``: how unlikely equal groups make the fractions, see :func:`heterogeneity`.
        observed: float64 ``[K]``: the same of the rows as they are.
    """

    gaps: Floats
    heterogeneity: Floats
    observed: Floats

    def p_values(self) -> Floats:
        """Return the p-value of each quantity, ``[K]``: the fraction of exchanges at least as heterogeneous."""
        as_large = (self.heterogeneity >= self.observed - _ROUNDING).sum(axis=0)
        return np.where(np.isnan(self.observed), np.nan, (1 + as_large) / (1 + len(self.heterogeneity)))

    def p_value(self) -> float:
        """Return the p-value of no gap in any quantity; NaN if one is undefined.

        The smaller p-value of two tests, compared with what it is for exchanged groups: of the sum of the
        heterogeneities, for gaps in many quantities, and of the largest, for gaps in a few.
        """
        if np.isnan(self.observed).any():
            return float("nan")
        every = np.concatenate([self.observed[None], self.heterogeneity])
        smaller = np.minimum(_ranks(every.sum(axis=1)), _ranks(every.max(axis=1)))
        return float((smaller <= smaller[0]).mean())


def null_of(evidence: Evidence) -> Null:
    """Return what random exchanges of the groups show."""
    counts = evidence.rows.counts
    part, whole = evidence.tally(counts)
    empty = (whole == 0).any(axis=(-3, -2))
    table = _x_log_x(int(whole.sum(axis=-2).max(initial=0)))  # exchanges do not change the sum over the groups
    gaps, found = [], []
    for drawn in evidence.rows.permuted(evidence.draws, evidence.seed):
        some, of = evidence.tally(drawn)
        together = some.sum(axis=-2, keepdims=True) / np.maximum(of.sum(axis=-2, keepdims=True), 1)
        shares = np.where(of > 0, some / np.maximum(of, 1), together)
        gaps.append(np.where(empty, np.nan, spread(shares)))
        found.append(np.where(empty, np.nan, heterogeneity(some, of, table)))
    return Null(
        gaps=np.concatenate(gaps),
        heterogeneity=np.concatenate(found),
        observed=np.where(empty, np.nan, heterogeneity(part, whole, table)),
    )


def heterogeneity(part: Floats, whole: Floats, table: Floats | None = None) -> Floats:
    """Return twice the log-likelihood ratio of different fractions in each group against one for all (G-test).

    Unlike the gap, it is not dominated by a group of a few rows.

    Args:
        part: whole numbers ``[..., M, G, K]``: the fractions' numerators.
        whole: whole numbers ``[..., 1, G, K]``: their denominators.
        table: x log x of 0 to the largest sum over groups; None computes it.

    Returns:
        float64 ``[..., K]``, the mean over the models.

    Example:
        >>> part, whole = np.array([[[8.0], [4.0]]]), np.array([[[10.0], [10.0]]])
        >>> heterogeneity(part, whole).round(2).tolist()  # as scipy.stats.chi2_contingency, lambda_="log-likelihood"
        [3.45]
    """
    if table is None:
        table = _x_log_x(int(whole.sum(axis=-2).max(initial=0)))

    def fit(some: Floats, of: Floats) -> Floats:
        right, all_of = some.astype(np.int64), of.astype(np.int64)
        return np.asarray(table[right] + table[all_of - right] - table[all_of])

    apart = fit(part, whole).sum(axis=-2)
    together = fit(part.sum(axis=-2), whole.sum(axis=-2))
    return np.asarray(2 * (apart - together).mean(axis=-2))


def _x_log_x(largest: int) -> Floats:
    numbers = np.arange(largest + 1, dtype=np.float64)
    return np.asarray(numbers * np.log(np.maximum(numbers, 1)))


def _ranks(values: Floats) -> Floats:
    """Return the fraction of all values that are at least as large as each."""
    order = np.sort(values - _ROUNDING)
    return np.asarray((len(values) - np.searchsorted(order, values - 2 * _ROUNDING)) / len(values))
