"""One or more models on one test set: their accuracies, and how they would vary on similar test sets."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.evidence import Evidence
from fairdistill.metrics.gaps import Estimate, Gap, Gaps
from fairdistill.metrics.grouped import GroupedRows
from fairdistill.metrics.intervals import Floats, Limits, Over, smallest_limits, wilson
from fairdistill.metrics.outcomes import Rows, outcomes_of
from fairdistill.metrics.samples import DEFAULT_DRAWING, Drawing, Samples

_WORK = 3e8  # draws times types, about 10 seconds
_MEMORY = 2**28  # bytes of the drawn shares


class Resampled:
    """M models (the seeds of one recipe) on one test set, resampled by source within subgroups.

    Args:
        correct: bool ``[M, N]``: which samples each model gets right.
        samples: the test set; samples of unknown group count only for the accuracy, the balanced accuracy and a
            class's accuracy.
        drawing: how test sets are drawn; fewer than requested if there are many types of sources or many subgroups.

    Attributes:
        draws: how many test sets were drawn.
        independent: whether every source has a single sample.
        all_rows: int64 ``[G + 1, C]``: samples of each subgroup; the last group holds those of unknown group.
        all_shares: float64 ``[M, G + 1, C]``: their accuracy; NaN for an empty subgroup.
        all_noise: float64 ``[B, M, G + 1, C]``: what drawn test sets add to it.

    Example:
        >>> labels, groups = np.repeat([0, 1], 200), np.tile([0, 1], 200)
        >>> right = np.ones((1, 400), bool)
        >>> right[0, :40:2] = False
        >>> samples = Samples(labels=labels, groups=groups, sources=np.arange(400), num_classes=2, num_groups=2)
        >>> gap = Resampled(right, samples).gap("mean")
        >>> round(gap.value, 3), gap.low > gap.floor
        (0.1, True)
    """

    def __init__(self, correct: NDArray[np.bool_], samples: Samples, drawing: Drawing = DEFAULT_DRAWING) -> None:
        models = len(correct)
        num_classes, num_groups = samples.num_classes, samples.num_groups
        cell = np.where(samples.groups < 0, num_groups, samples.groups) * num_classes + samples.labels
        code, values = _coded(correct)
        group_of_cell = np.repeat(np.arange(num_groups + 1), num_classes)
        rows = Rows(cell=cell, code=code, values=values, sources=samples.sources, num_cells=len(group_of_cell))
        found = outcomes_of(rows, pool=group_of_cell, ends=True)
        fitting = min(_WORK / max(1, len(found.weight)), _MEMORY / (8 * models * len(found.rows)))
        self.draws = max(100, min(drawing.draws, int(fitting)))
        self.independent = found.independent
        self.confidence = drawing.confidence
        shape = (num_groups + 1, num_classes)
        self.all_rows = found.rows.reshape(shape)
        sums = np.stack([np.bincount(cell, weights=row, minlength=len(found.rows)) for row in correct])
        self._sums = sums.reshape(models, *shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.all_shares = self._sums / self.all_rows
        noise = np.concatenate(list(found.drawn(self.draws, drawing.seed))).swapaxes(1, 2) - found.share.T
        self.all_noise = noise.reshape(self.draws, models, *shape)
        self._seed = drawing.seed
        self.evidence = _evidence(samples, code, values, drawing)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Samples of each subgroup, int64 ``[G, C]``."""
        return self.all_rows[:-1]

    @property
    def independent_rows(self) -> NDArray[np.int64]:
        """Sources of each subgroup, int64 ``[G, C]``."""
        return self.evidence.independent

    @property
    def resolution(self) -> float:
        """Smallest step of a subgroup's accuracy."""
        return 1 / max(1, int(self.rows.max(initial=0)))

    @property
    def shares(self) -> Floats:
        """Accuracy of each subgroup, float64 ``[M, G, C]``; NaN for an empty one."""
        return self.all_shares[:, :-1]

    @property
    def noise(self) -> Floats:
        """What drawn test sets add to it, float64 ``[B, M, G, C]``."""
        return self.all_noise[:, :, :-1]

    def accuracy(self) -> Estimate:
        """Return the fraction of correct samples, including those of unknown group."""
        return self.mean(self.all_rows)

    def balanced_accuracy(self) -> Estimate:
        """Return the mean over the classes of each class's accuracy; NaN if a class has no samples."""
        with np.errstate(invalid="ignore"):
            return self.mean(self.all_rows / self.all_rows.sum(axis=0))

    def class_accuracy(self, label: int) -> Estimate:
        """Return the accuracy of a class."""
        return self.mean(self.all_rows * (np.arange(self.all_rows.shape[1]) == label))

    def group_accuracy(self, group: int) -> Estimate:
        """Return the accuracy of a group."""
        return self.mean(self.all_rows * (np.arange(len(self.all_rows)) == group)[:, None])

    def cell_accuracy(self) -> tuple[Floats, Limits]:
        """Return the accuracy of each subgroup, ``[G, C]``, with its limits: Wilson's if samples are independent."""
        value = self.shares.mean(axis=0)
        if self.independent and len(self.shares) == 1:
            low, high = wilson(self._sums[0, :-1], self.rows, confidence=self.confidence)
        else:
            moved = value + self.noise.mean(axis=1) + self.seed_noise(self.shares)
            low, high = self._quantiles(moved)
        return value, Limits(low=low, middle=value, high=high)

    def worst_cell(self) -> tuple[Estimate, tuple[int, int] | None]:
        """Return the smallest accuracy of a subgroup and its (group, class); empty subgroups do not count."""
        filled = self.rows.ravel() > 0
        found, at = self._smallest(
            self.shares.reshape(len(self.shares), -1)[:, filled],
            self.noise.reshape(*self.noise.shape[:2], -1)[..., filled],
        )
        return found, None if at is None else divmod(int(np.flatnonzero(filled)[at]), self.rows.shape[1])

    def worst_group(self) -> tuple[Estimate, int | None]:
        """Return the smallest accuracy of a group and which it is; groups without samples do not count."""
        total = self.rows.sum(axis=1)
        weight = self.rows[total > 0] / total[total > 0, None]
        found, at = self._smallest(
            (np.nan_to_num(self.shares)[:, total > 0] * weight).sum(axis=-1),
            (np.nan_to_num(self.noise)[:, :, total > 0] * weight).sum(axis=-1),
        )
        return found, None if at is None else int(np.flatnonzero(total > 0)[at])

    def gap(self, which: Over) -> Gap:
        """Return DEO_A (``mean``) or DEO_M (``max``)."""
        return self.gaps.of(which)[0]

    def gap_by_class(self) -> list[Gap]:
        """Return the DEO of each class."""
        return self.gaps.of("each")

    @cached_property
    def gaps(self) -> Gaps:
        """The gaps of the classes."""
        return Gaps(self.shares, self.noise, self.evidence, confidence=self.confidence, seed_noise=self.seed_noise)

    def mean(self, weight: Floats | NDArray[np.int64]) -> Estimate:
        """Return a weighted mean of the subgroups' accuracies, weights ``[G + 1, C]``; NaN if the weights sum to 0."""
        total = float(weight.sum())
        if not total > 0:
            return Estimate(*[float("nan")] * 3)
        weight = weight / total
        used = weight > 0
        shares = self.all_shares[:, used] @ weight[used]
        noise = self.all_noise[:, :, used].mean(axis=1) @ weight[used]
        value = float(shares.mean())
        low, high = self._quantiles(value + noise + self.seed_noise(shares))
        return Estimate(value, float(low), float(high))

    def _smallest(self, shares: Floats, noise: Floats) -> tuple[Estimate, int | None]:
        if not shares.shape[1]:
            return Estimate(*[float("nan")] * 3), None
        found = smallest_limits(
            shares,
            noise,
            confidence=self.confidence,
            seed_noise=self.seed_noise(shares.min(axis=1)),
            resolution=self.resolution,
        )
        at = int(shares.mean(axis=0).argmin())
        value = float(shares.min(axis=1).mean())
        return Estimate(value, float(found.low), float(found.high)), at

    def _quantiles(self, values: Floats) -> tuple[Floats, Floats]:
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(values, [tail, 1 - tail], axis=0)
        return np.clip(low, 0, 1), np.clip(high, 0, 1)

    def seed_noise(self, values: Floats) -> Floats:
        """Return what other seeds, as many, would add to the mean of ``values`` ``[M, ...]``: ``[B, ...]``.

        Student's t with M - 1 degrees of freedom, times sd / sqrt(M); nothing for a single model, whose spread is
        unknown.
        """
        models = len(values)
        if models < 2:
            return np.zeros((self.draws, *values.shape[1:]))
        drawn = np.random.default_rng([self._seed, 1]).standard_t(models - 1, size=self.draws)
        error = values.std(axis=0, ddof=1) / np.sqrt(models)
        return np.asarray(drawn.reshape(-1, *[1] * error.ndim) * error)


def _evidence(samples: Samples, code: NDArray[np.int64], values: Floats, drawing: Drawing) -> Evidence:
    """Return the rows of known group, each class a stratum, whose outcomes have these values ``[codes, M]``."""
    known = samples.groups >= 0
    rows = GroupedRows(
        groups=samples.groups[known],
        strata=samples.labels[known],
        codes=code[known],
        sources=samples.sources[known],
        shape=(samples.num_groups, samples.num_classes, len(values)),
    )

    def tally(counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
        whole = counts.sum(axis=-1)[..., None, :, :].astype(np.float64)
        if values.shape == (2, 1):  # a single model: wrong and right
            return counts[..., None, :, :, 1].astype(np.float64), whole
        return np.moveaxis(counts @ values, -1, -3), whole

    return Evidence(rows=rows, tally=tally, independent=rows.units, draws=drawing.draws, seed=drawing.seed)


def _coded(correct: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
    """Return each sample's outcome as a number, and what each outcome adds: float64 ``[codes, M]``, 1 if correct."""
    models = len(correct)
    if models <= 4:
        code = (correct * (1 << np.arange(models))[:, None]).sum(axis=0)
        return code, (np.arange(1 << models)[:, None] >> np.arange(models) & 1).astype(np.float64)
    # All wrong and all right are outcomes even if no sample has them.
    rows = np.concatenate([correct.T, np.repeat([[False], [True]], models, axis=1)])
    values, code = np.unique(rows, axis=0, return_inverse=True)
    return code.ravel()[:-2], values.astype(np.float64)
