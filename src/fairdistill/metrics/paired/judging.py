"""Two models on the same test samples: is one really better, and at whose expense?"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from fairdistill.metrics.arrays import Flags, Floats, Ints, empirical_p_value
from fairdistill.metrics.intervals import middle_of
from fairdistill.metrics.paired.changes import CellChange, Change, Paired
from fairdistill.metrics.paired.extremes import extremes
from fairdistill.metrics.paired.signs import Signs, holm
from fairdistill.metrics.resampling import Resampled
from fairdistill.metrics.test_set.distinct import distinct
from fairdistill.metrics.test_set.flags import checked_flags
from fairdistill.metrics.test_set.samples import DEFAULT_DRAWING, Drawing, Samples

_UNKNOWN = 1e6  # times the noise: no bound


def paired_test(
    first: Flags,
    second: Flags,
    samples: Samples,
    drawing: Drawing = DEFAULT_DRAWING,
) -> Paired:
    """Compare two models on the same samples.

    The p-values of the accuracy and of subgroups are exact, see :class:`Signs`; those of subgroups are corrected by
    Holm's method. That of the balanced accuracy is the share of drawn test sets that move it as far. With several
    seeds, the noise of the seeds is added. The change of a DEO is tested for being 0, whether or not the accuracies
    differ: its p-value and its interval are one statement, see :func:`extremes`.
    Intervals come from test sets drawn for both models together.

    Args:
        first: bool ``[N]``: which samples the first model, for example a teacher, gets right; ``[M, N]`` for M seeds.
        second: bool ``[N]`` or ``[M, N]``: the same for the second model; seeds are paired in order. Changes are then
            means over the seeds, and their intervals include the noise of the seeds.
        samples: the test set; samples of unknown group count only for the accuracy.
        drawing: how test sets are drawn, and the confidence of intervals; a subgroup is harmed or helped if its
            p-value is at most one minus that.

    Raises:
        ValueError: if they are not bool, or differ in shape from each other or in length from the test set.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 2 % 2, sources=rows, num_classes=2, num_groups=2)
        >>> found = paired_test(rows % 4 > 0, rows >= 0, samples)
        >>> found.accuracy.value, found.accuracy.p_value < 0.001, [cell.helped for cell in found.cells]
        (0.25, True, [True, False, False, False])
    """
    first, second = checked_flags(first, "first", samples), checked_flags(second, "second", samples)
    if first.shape != second.shape:
        raise ValueError(
            f"Expected arguments `first` and `second` to have one shape, but got {first.shape} and {second.shape}"
        )
    both = Resampled(np.concatenate([first, second]), samples, drawing)
    apart = second.sum(axis=0, dtype=np.int64) - first.sum(axis=0, dtype=np.int64)
    found = extremes(both, of_few_sources(both.sources_of_groups, both.draws, drawing.seed))
    noise = _cell_noise(both, drawing.seed)
    return Paired(
        accuracy=_accuracy_change(both, second.mean(axis=1) - first.mean(axis=1), samples, apart, drawing.seed),
        balanced_accuracy=_balanced_change(both, samples, drawing.seed),
        deo_a=found.deo_a.change(both),
        deo_m=found.deo_m.change(both),
        cells=_cell_changes(both, samples, apart, noise),
        worst_groups=found.worst.estimate(both),
        best_groups=found.best.estimate(both),
        share_levelled_down=found.share_levelled_down(both),
    )


def judged_cells(first: Flags, second: Flags, samples: Samples, *, confidence: float) -> tuple[Floats, Flags]:
    """Return what :func:`paired_test` says of the subgroups without drawing test sets, which their tests do not need.

    Args:
        first: bool ``[N]``: which samples the first model gets right.
        second: bool ``[N]``: the same for the second model.
        samples: the test set.
        confidence: a change is significant if its p-value is at most one minus this.

    Returns:
        The change of each subgroup with samples, float64 ``[K]``, and whether it is significant, bool ``[K]``, in the
        order of the cells of :func:`paired_test`.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 2 % 2, sources=rows, num_classes=2, num_groups=2)
        >>> value, significant = judged_cells(rows % 4 > 0, rows >= 0, samples, confidence=0.95)
        >>> value.tolist(), significant.tolist()
        ([1.0, 0.0, 0.0, 0.0], [True, False, False, False])
    """
    (first,), (second,) = checked_flags(first, "first", samples), checked_flags(second, "second", samples)
    known = samples.groups >= 0
    cell = samples.cells[known]
    apart = second[known].astype(np.int64) - first[known]
    cells = samples.num_groups * samples.num_classes
    rows = np.bincount(cell, minlength=cells)
    p_values = Signs.of(cell, samples.sources[known], apart, num_cells=cells).p_values()[rows > 0]
    change = np.bincount(cell, apart, cells)[rows > 0] / rows[rows > 0]
    return change, holm(p_values) <= 1 - confidence


def of_few_sources(sources: Ints, draws: int, seed: int, *, groups: int = 1) -> Floats:
    """Return by what to multiply the noise of drawn test sets because they are drawn from few sources, ``[B, K]``.

    S sources of G groups, drawn with replacement, vary by (S - G) / S of what other sources would, and they say only
    roughly how much that is: the noise becomes that of Student's t with S - G degrees of freedom. From a single source
    in each group nothing follows.

    Args:
        sources: int64 ``[K]``: the number of sources, S.
        draws: number of test sets, B.
        seed: of the draws.
        groups: G.
    """
    number, which = np.unique(sources, return_inverse=True)
    freedom = np.maximum(number - groups, 1)
    # One for all numbers of sources, so that their order does not matter.
    chance = np.random.default_rng([seed, 4]).random((draws, 1))
    spread = chdtri(freedom, chance) / freedom
    return np.asarray(np.where(number > groups, np.sqrt(number / freedom / spread), _UNKNOWN)[:, which])


def _accuracy_change(both: Resampled, by_seed: Floats, samples: Samples, apart: Ints, seed: int) -> Change:
    drawn = _difference(both.accuracy_noise)
    value = float(by_seed.mean())
    sources = samples.sources
    groups = int((both.all_rows.sum(axis=1) > 0).sum())
    drawn = drawn * of_few_sources(np.array([both.num_sources]), both.draws, seed, groups=groups)[:, 0]
    low, high = middle_of(value + drawn + both.seed_noise(by_seed), both.confidence, least=-1)
    signs = Signs.of(np.zeros_like(sources), sources, apart, num_cells=1)
    (p_value,) = signs.p_values(*_of_sums(by_seed, np.array([len(sources)])))
    return Change(value, float(low), float(high), float(p_value))


def _balanced_change(both: Resampled, samples: Samples, seed: int) -> Change:
    """Return the change in the mean of the subgroups' accuracies."""
    if (both.rows == 0).any():
        return Change(*[float("nan")] * 4)
    before, after = np.split(both.shares, 2)
    by_seed = (after - before).mean(axis=(1, 2))
    drawn = _difference(both.noise).mean(axis=(1, 2))
    if not both.independent:
        sources = np.maximum(both.sources.ravel(), 1)
        # One more source in each subgroup, as for its own change; those of several subgroups average out.
        one_more = np.random.default_rng([seed, 5]).normal(0, np.sqrt(0.5), both.draws)
        drawn += one_more * np.sqrt((1 / sources**2).mean() / sources.size)
        number = len(distinct(samples.sources[samples.groups >= 0]))
        drawn *= of_few_sources(np.array([number]), both.draws, seed, groups=len(both.rows))[:, 0]
    value, drawn = float(by_seed.mean()), drawn + both.seed_noise(by_seed)
    low, high = middle_of(value + drawn, both.confidence, least=-1)
    return Change(value, float(low), float(high), empirical_p_value(abs(value), np.abs(drawn)))


def _cell_noise(both: Resampled, seed: int) -> Floats:
    """Return what drawn test sets add to the change of each subgroup's accuracy, ``[B, G, C]``."""
    drawn = _difference(both.noise)
    if both.independent:
        return drawn
    # As among independent samples, one more source keeps models from being free of differences.
    one_more = np.random.default_rng([seed, 5]).normal(0, np.sqrt(0.5), (both.draws, 1, 1))
    drawn += one_more / np.maximum(both.sources, 1)
    return drawn * of_few_sources(both.sources.ravel(), both.draws, seed).reshape(drawn.shape)


def _cell_changes(both: Resampled, samples: Samples, apart: Ints, noise: Floats) -> tuple[CellChange, ...]:
    before, after = np.split(both.shares, 2)
    values = (after - before).mean(axis=0)
    known = samples.groups >= 0
    cell = samples.cells[known]
    low, high = middle_of(values + noise + both.seed_noise(after - before), both.confidence, least=-1)
    signs = Signs.of(cell, samples.sources[known], apart[known], num_cells=both.rows.size)
    found = signs.p_values(*_of_sums((after - before).reshape(len(after), -1), both.rows.ravel()))
    p_values = found.reshape(both.rows.shape)
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
            level=1 - both.confidence,
        )
        for (group, label), corrected in zip(filled, adjusted, strict=True)
    )


def _of_sums(by_seed: Floats, rows: Ints) -> tuple[Floats | None, int]:
    """Return the standard error of the sum over seeds and samples, from means ``[M, ...]``, and the number of seeds."""
    seeds = len(by_seed)
    if seeds < 2:
        return None, seeds
    error = by_seed.std(axis=0, ddof=1) * np.sqrt(seeds)  # of the sum over the seeds
    return np.atleast_1d(np.nan_to_num(error)) * rows, seeds


def _difference(values: Floats) -> Floats:
    """Return the mean over the second half of the models minus that over the first, along the second axis."""
    first, second = np.split(values, 2, axis=1)
    return np.asarray(second.mean(axis=1) - first.mean(axis=1))
