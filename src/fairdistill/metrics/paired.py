"""Two models on the same test samples: is one really better, and at whose expense?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.intervals import Floats, Limits, Over, gap_limits, over, spread
from fairdistill.metrics.outcomes import Rows, outcomes_of
from fairdistill.metrics.resampling import Resampled
from fairdistill.metrics.samples import DEFAULT_DRAWING, Drawing, Samples

SIGNIFICANT = 0.05
"""Largest p-value of a change that is called significant."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """A difference, the second model's value minus the first's; fractions, NaN where undefined.

    Attributes:
        value: as observed.
        low: lower end of its interval.
        high: upper end.
        p_value: of the hypothesis that the models are interchangeable, two-sided.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class CellChange(Change):
    """The change in one subgroup's accuracy.

    Attributes:
        group: the subgroup's group.
        label: its class.
        rows: its samples.
        adjusted_p_value: corrected for the number of subgroups (Holm).
    """

    group: int
    label: int
    rows: int
    adjusted_p_value: float

    @property
    def harmed(self) -> bool:
        """Whether the accuracy fell significantly, at 5% over all subgroups together."""
        return self.value < 0 and self.adjusted_p_value <= SIGNIFICANT

    @property
    def helped(self) -> bool:
        """Whether it rose significantly."""
        return self.value > 0 and self.adjusted_p_value <= SIGNIFICANT


@dataclass(frozen=True)
class Paired:
    """The changes from the first model to the second.

    Attributes:
        accuracy: fraction of correct samples.
        deo_a: the mean over classes of the gap.
        deo_m: the largest gap.
        cells: each subgroup with samples.
        worst_groups: change in the mean over the classes of the worst group's accuracy; DEO_A changes by
            ``best_groups`` minus this.
        best_groups: change in the mean over the classes of the best group's accuracy.
    """

    accuracy: Change
    deo_a: Change
    deo_m: Change
    cells: tuple[CellChange, ...]
    worst_groups: float
    best_groups: float

    @property
    def levels_down(self) -> bool:
        """Whether DEO_A shrank only because some groups got worse: on average, the worst groups gained nothing."""
        return self.deo_a.value < -_ROUNDING and self.worst_groups <= _ROUNDING

    @property
    def share_levelled_down(self) -> float:
        """How much of a smaller DEO_A comes from the best groups getting worse, in [0, 1]; NaN if it did not shrink."""
        if not self.deo_a.value < -_ROUNDING:
            return float("nan")
        return min(1.0, max(0.0, self.best_groups / self.deo_a.value))


def paired_test(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    samples: Samples,
    drawing: Drawing = DEFAULT_DRAWING,
) -> Paired:
    """Compare two models on the same samples.

    p-values come from a permutation test that swaps the two models at random for each source, so it is exact for the
    hypothesis that they do not differ, however small the test set; with several seeds, the noise of the seeds is added
    to the swaps. Intervals of accuracies come from test sets drawn for both models together; those of a DEO combine the
    two models' own intervals (:func:`gap_limits`) by the method of variance estimates recovery (Zou and Donner,
    *Construction of confidence limits about effect measures*, 2008), as if they were independent. The p-values of
    subgroups are corrected by Holm's method (1979).

    Args:
        first: bool ``[N]``: which samples the first model, for example a teacher, gets right; ``[M, N]`` for M seeds.
        second: bool ``[N]`` or ``[M, N]``: the same for the second model; seeds are paired in order. Changes are then
            means over the seeds, and their intervals include the noise of the seeds.
        samples: the test set; samples of unknown group count only for the accuracy.
        drawing: how test sets and permutations are drawn.

    Raises:
        ValueError: if the two differ in shape.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 2 % 2, sources=rows, num_classes=2, num_groups=2)
        >>> found = paired_test(rows % 4 > 0, rows >= 0, samples)
        >>> found.accuracy.value, found.accuracy.p_value < 0.001, [cell.helped for cell in found.cells]
        (0.25, True, [True, False, False, False])
    """
    first, second = np.atleast_2d(first), np.atleast_2d(second)
    if first.shape != second.shape:
        raise ValueError(
            f"Expected arguments `first` and `second` to have one shape, but got {first.shape} and {second.shape}"
        )
    both = Resampled(np.concatenate([first, second]), samples, drawing)
    swaps = _swapped(first, second, samples, both, drawing.seed)
    weight = both.all_rows / both.all_rows.sum()
    by_seed = second.mean(axis=1) - first.mean(axis=1)
    drawn = np.einsum("bgc,gc->b", np.nan_to_num(_difference(both.all_noise)), weight)
    swapped = np.einsum("mbgc,gc->mb", np.nan_to_num(swaps), weight)
    value = float(by_seed.mean())
    of_seeds = both.seed_noise(by_seed)
    low, high = _quantiles(value + drawn + of_seeds, drawing.confidence)
    worst, best = (
        _difference(end.mean(axis=-1)[None])[0] for end in (both.shares.min(axis=1), both.shares.max(axis=1))
    )
    return Paired(
        accuracy=Change(value, float(low), float(high), float(_p_value(swapped[1] - swapped[0] + of_seeds, value))),
        deo_a=_gap_change(both, swaps[:, :, :-1], "mean"),
        deo_m=_gap_change(both, swaps[:, :, :-1], "max"),
        cells=_cell_changes(both, swaps[:, :, :-1]),
        worst_groups=float(worst),
        best_groups=float(best),
    )


def _difference(values: Floats) -> Floats:
    """Return the mean over the second half of the models minus that over the first, along the second axis."""
    first, second = np.split(values, 2, axis=1)
    return np.asarray(second.mean(axis=1) - first.mean(axis=1))


def _swapped(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    samples: Samples,
    both: Resampled,
    seed: int,
) -> Floats:
    """Return the subgroups' accuracies with the models swapped at random for each source, ``[2, B, G + 1, C]``."""
    cells, classes = both.all_rows.shape
    seeds = len(first)
    right = first.sum(axis=0) * (seeds + 1) + second.sum(axis=0)  # only the number of correct seeds matters
    rows = Rows(
        cell=np.where(samples.groups < 0, cells - 1, samples.groups) * classes + samples.labels,
        code=right,
        values=np.indices((seeds + 1, seeds + 1)).reshape(2, -1).T / seeds,
        sources=samples.sources,
        num_cells=cells * classes,
    )
    found = outcomes_of(rows, smooth=False)
    drawn = np.concatenate(list(found.swapped(both.draws, seed)))
    return np.moveaxis(drawn, 2, 0).reshape(2, -1, cells, classes)


def _cell_changes(both: Resampled, swaps: Floats) -> tuple[CellChange, ...]:
    before, after = np.split(both.shares, 2)
    values = (after - before).mean(axis=0)
    of_seeds = both.seed_noise(after - before)
    low, high = _quantiles(values + _difference(both.noise) + of_seeds, both.confidence)
    p_values = _p_value(swaps[1] - swaps[0] + of_seeds, values)
    filled = np.argwhere(both.rows > 0)
    adjusted = holm(p_values[both.rows > 0])
    return tuple(
        CellChange(
            value=float(values[group, label]),
            low=float(low[group, label]),
            high=float(high[group, label]),
            p_value=float(p_values[group, label]),
            group=int(group),
            label=int(label),
            rows=int(both.rows[group, label]),
            adjusted_p_value=float(corrected),
        )
        for (group, label), corrected in zip(filled, adjusted, strict=True)
    )


def _gap_change(both: Resampled, swaps: Floats, which: Over) -> Change:
    gaps = np.split(over(spread(both.shares), which), 2)
    value = float(gaps[1].mean() - gaps[0].mean())
    if np.isnan(value):
        return Change(value, value, value, value)
    before, after = (
        gap_limits(
            shares,
            noise,
            which,
            confidence=both.confidence,
            seed_noise=both.seed_noise(of_seeds),
            resolution=both.resolution,
        )
        for shares, noise, of_seeds in zip(np.split(both.shares, 2), np.split(both.noise, 2, axis=1), gaps, strict=True)
    )
    middle = float(after.middle - before.middle)
    low = middle - _together(after, before)
    high = middle + _together(before, after)
    swapped = over(spread(swaps), which)
    of_seeds = both.seed_noise(gaps[1] - gaps[0])
    return Change(value, min(low, value), max(high, value), float(_p_value(swapped[1] - swapped[0] + of_seeds, value)))


def _together(lower: Limits, upper: Limits) -> float:
    """Return how far one gap may be below its estimate and the other above, combined.

    Independent errors add up in squares. But an estimate whose lower end is 0 cannot err freely downwards; then the
    errors themselves are added.
    """
    below, above = float(lower.middle - lower.low), float(upper.high - upper.middle)
    return below + above if lower.low <= 0 else float(np.hypot(below, above))


def _quantiles(values: Floats, confidence: float) -> tuple[Floats, Floats]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return np.clip(low, -1, 1), np.clip(high, -1, 1)


def _p_value(swapped: Floats, value: Floats | float) -> Floats:
    """Return the fraction of permutations, including the observed one, with a difference at least as large."""
    with np.errstate(invalid="ignore"):
        as_large = (np.abs(swapped) >= np.abs(value) - 1e-12).sum(axis=0)
    return np.asarray(np.where(np.isnan(value), np.nan, (1 + as_large) / (1 + len(swapped))))


def holm(p_values: Floats) -> Floats:
    """Return p-values corrected for multiple testing.

    Holm, *A Simple Sequentially Rejective Multiple Test Procedure* (1979).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
