"""One or more models on one test set: their accuracies, and how they would vary on similar test sets."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.bootstrap.drawn import drawn_accuracies
from fairdistill.metrics.estimate import UNDEFINED, Estimate
from fairdistill.metrics.gap.evidence import Evidence
from fairdistill.metrics.gap.gaps import Gaps
from fairdistill.metrics.gap.grouped import GroupedRows
from fairdistill.metrics.gap.true_gaps import Over
from fairdistill.metrics.gap.values import Gap
from fairdistill.metrics.intervals import Limits, middle_of, wilson, wilson_limits
from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.metrics.test_set.flags import checked_flags
from fairdistill.metrics.test_set.ranks import ranked
from fairdistill.metrics.test_set.rows import Rows
from fairdistill.metrics.test_set.samples import DEFAULT_DRAWING, Drawing, Samples
from fairdistill.metrics.worst import Sized, effective_rows, smallest_limits


class Resampled:
    """M models (the seeds of one recipe) on one test set, resampled by source within subgroups.

    Args:
        correct: bool ``[M, N]``, or ``[N]`` of one model: which samples each model gets right.
        samples: the test set; samples of unknown group count only for the accuracy, a class's accuracy and the
            class-balanced accuracy.
        drawing: how test sets are drawn; fewer than requested if there are many types of sources or many subgroups.

    Attributes:
        draws: how many test sets were drawn.
        independent: whether every source has a single sample.
        all_rows: int64 ``[G + 1, C]``: samples of each subgroup; the last group holds those of unknown group.
        all_shares: float64 ``[M, G + 1, C]``: their accuracy; NaN for an empty subgroup.
        all_noise: float64 ``[B, M, G + 1, C]``: what drawn test sets add to it.
        all_centres: float64 ``[M, G + 1, C]``: the expected accuracy in drawn test sets.
        group_noise: float64 ``[B, M, G + 1]``: what they add to the accuracy of each group; for a test set sampled at
            random this includes other numbers of each class.
        class_noise: float64 ``[B, M, C]``: the same for the accuracy of each class.
        accuracy_noise: float64 ``[B, M]``: the same for the accuracy of all samples.

    Raises:
        ValueError: if ``correct`` is not bool, or not of the samples of the test set.

    Example:
        >>> labels, groups = np.repeat([0, 1], 200), np.tile([0, 1], 200)
        >>> right = np.ones((1, 400), bool)
        >>> right[0, :40:2] = False
        >>> samples = Samples(labels=labels, groups=groups, sources=np.arange(400), num_classes=2, num_groups=2)
        >>> gap = Resampled(right, samples).gap("mean")
        >>> round(gap.value, 3), gap.low > gap.floor
        (0.1, True)
    """

    def __init__(self, correct: Flags, samples: Samples, drawing: Drawing = DEFAULT_DRAWING) -> None:
        correct = checked_flags(correct, "correct", samples)
        shape = (samples.num_groups + 1, samples.num_classes)
        groups = samples.all_groups
        code, values = _coded(correct)
        ranks = ranked(
            groups=groups, classes=(samples.labels,), codes=code, sources=samples.sources, shape=shape, last=True
        )
        cell = ranks.groups[groups] * shape[1] + ranks.classes[samples.labels]
        rows = Rows(cell=cell, code=code, values=values, sources=samples.sources, num_cells=shape[0] * shape[1])
        self.independent = rows.independent
        self.confidence = drawing.confidence
        self._seed = drawing.seed
        self._of_seeds: dict[int, Floats] = {}  # drawn once for each number of models
        self._random = drawing.design == "random"

        def restored(found: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(found[..., ranks.groups[:, None], ranks.classes])

        often = np.bincount(cell * len(values) + code, minlength=rows.num_cells * len(values)).reshape(*shape, -1)
        self.all_rows = restored(often.sum(axis=-1))
        self._sums = restored(np.moveaxis(often @ values, -1, 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            self.all_shares: Floats = self._sums / self.all_rows
        drawn = drawn_accuracies(rows, shape, drawing)
        self.draws = len(drawn.cells)
        self.all_noise, self.all_centres = restored(drawn.cells), restored(drawn.centres)
        self.group_noise = drawn.groups[..., ranks.groups]
        self.class_noise = drawn.classes[..., ranks.classes]
        self.accuracy_noise = drawn.whole
        of_sources = _sources(rows, shape)[np.r_[ranks.groups, -1][:, None], np.r_[ranks.classes, -1]]
        self._sources: Ints = of_sources
        self._ranks = ranks
        renamed = replace(
            samples,
            labels=ranks.classes[samples.labels],
            groups=np.where(samples.groups < 0, -1, ranks.groups[samples.groups]),
        )
        self.evidence = _evidence(renamed, code, values, drawing)

    @property
    def rows(self) -> Ints:
        """Samples of each subgroup, int64 ``[G, C]``."""
        return self.all_rows[:-1]

    @property
    def sources(self) -> Ints:
        """Sources of each subgroup, its independent samples, int64 ``[G, C]``."""
        return self._sources[:-2, :-1]

    @property
    def sources_of_groups(self) -> Ints:
        """Sources of each group, int64 ``[G]``."""
        return self._sources[:-2, -1]

    @property
    def num_sources(self) -> int:
        """Sources of all samples, including those of unknown group."""
        return int(self._sources[-1, -1])

    @property
    def shares(self) -> Floats:
        """Accuracy of each subgroup, float64 ``[M, G, C]``; NaN for an empty one."""
        return self.all_shares[:, :-1]

    @property
    def noise(self) -> Floats:
        """What drawn test sets add to it, float64 ``[B, M, G, C]``."""
        return self.all_noise[:, :, :-1]

    def one_sided(self) -> Resampled:
        """Return the same with accuracies each end of which holds by itself with the confidence, not both together."""
        found = copy(self)
        found.confidence = max(1e-3, 2 * self.confidence - 1)  # below one half, the ends are wider than need be
        return found

    def accuracy(self) -> Estimate:
        """Return the fraction of correct samples, including those of unknown group."""
        return self._of_rows(self._of(), self.accuracy_noise)

    def balanced_accuracy(self) -> Estimate:
        """Return the mean of the subgroups' accuracies; NaN if a subgroup has no samples."""
        return self._varying(self.shares.mean(axis=(-2, -1)), self.noise.mean(axis=(-2, -1)))

    def class_balanced_accuracy(self) -> Estimate:
        """Return the mean over the classes of each class's accuracy; NaN if a class has no samples."""
        with np.errstate(invalid="ignore"):
            shares = (self._sums.sum(axis=1) / self.all_rows.sum(axis=0)).mean(axis=1)
        return self._varying(shares, self.class_noise.mean(axis=-1))

    def class_accuracy(self, label: int) -> Estimate:
        """Return the accuracy of a class."""
        return self._of_rows(self._of(label=label), self.class_noise[..., label])

    def group_accuracy(self, group: int) -> Estimate:
        """Return the accuracy of a group."""
        return self._of_rows(self._of(group=group), self.group_noise[..., group])

    def cell_accuracy(self) -> Limits:
        """Return the accuracy of each subgroup, ``[G, C]``, with its limits: Wilson's, if there is a single model."""
        value = self.shares.mean(axis=0)
        if len(self.shares) == 1:
            rows = self.effective_rows[0]
            low, high = wilson(value * rows, rows, confidence=self.confidence)
        else:
            moved = value + self.noise.mean(axis=1) + self.seed_noise(self.shares)
            low, high = middle_of(moved, self.confidence)
        return Limits(low=low, middle=value, high=high)

    def worst_cell(self) -> tuple[Estimate, tuple[int, int] | None]:
        """Return the smallest accuracy of a subgroup and its (group, class); empty subgroups do not count."""
        filled = self.rows > 0
        found, at = self._smallest(self.shares[:, filled], self.effective_rows[:, filled])
        return found, None if at is None else divmod(int(np.flatnonzero(filled)[at]), self.rows.shape[1])

    def worst_group(self) -> tuple[Estimate, int | None]:
        """Return the smallest accuracy of a group and which it is; groups without samples do not count."""
        total = self.rows.sum(axis=1)
        filled = total > 0
        worth = np.zeros((len(self.shares), len(total)))
        for group in np.flatnonzero(filled).tolist():
            worth[:, group] = self._worth(self._of(group=group), self.group_noise[..., group])
        value = self._sums[:, :-1][:, filled].sum(axis=-1) / total[filled]
        found, at = self._smallest(value, worth[:, filled])
        return found, None if at is None else int(np.flatnonzero(filled)[at])

    @property
    def effective_rows(self) -> Floats:
        """How many independent rows each subgroup's are worth, float64 ``[M, G, C]``; 0 for an empty one."""
        shape = self.shares.shape
        if self.independent:
            return np.broadcast_to(self.rows.astype(np.float64), shape)
        flat = (len(self.shares), -1)
        found = effective_rows(
            self.all_centres[:, :-1].reshape(flat),
            self.noise.reshape(self.draws, *flat),
            self.rows.ravel(),
            self.sources.ravel(),
            confidence=self.confidence,
        )
        return found.reshape(shape)

    def gap(self, which: Over) -> Gap:
        """Return DEO_A (``mean``) or DEO_M (``max``)."""
        return self.gaps.of(which)[0]

    def gap_by_class(self) -> list[Gap]:
        """Return the DEO of each class."""
        found = self.gaps.of("each")
        return [found[at] for at in self._ranks.classes.tolist()]

    @cached_property
    def gaps(self) -> Gaps:
        """The gaps of the classes, with groups and classes in an order of their own: so no name matters."""
        groups, classes = np.argsort(self._ranks.groups[:-1])[:, None], np.argsort(self._ranks.classes)
        return Gaps(
            self.shares[..., groups, classes],
            self.noise[..., groups, classes],
            self.evidence,
            confidence=self.confidence,
            seed_noise=self.seed_noise,
        )

    def gaps_among(self, kept: Flags) -> tuple[Gap, Gap]:
        """Return DEO_A and DEO_M over some classes, ``kept`` ``[C]``."""
        own = kept[np.argsort(self._ranks.classes)]
        found = self.gaps.among(own, self.evidence.in_strata(own))
        return found.of("mean")[0], found.of("max")[0]

    def _of(self, *, group: int | None = None, label: int | None = None) -> _Part:
        """Return the subgroups of a group, of a class, or all."""
        own = tuple(slice(None) if at is None else slice(at, at + 1) for at in (group, label))
        at = tuple(-1 if at is None else at for at in (group, label))
        return _Part(own, int(self.all_rows[own].sum()), int(self._sources[at]))

    def _of_rows(self, part: _Part, noise: Floats) -> Estimate:
        """Return the share of correct samples of some subgroups, given what drawn test sets add to it, ``[B, M]``."""
        if not part.rows:
            return UNDEFINED
        shares = self._sums[:, *part.own].sum(axis=(1, 2)) / part.rows
        if len(shares) > 1 or not self._random:
            return self._varying(shares, noise)
        worth = self._worth(part, noise)
        return wilson_limits(shares, worth, confidence=self.confidence).at(0)

    def _worth(self, part: _Part, noise: Floats) -> Floats:
        """Return how many independent samples those of some subgroups are worth, ``[M]``."""
        if self.independent and self._random:
            return np.full(len(self._sums), float(part.rows))
        rows = self.all_rows[part.own]
        centres = (np.nan_to_num(self.all_centres[:, *part.own]) * rows).sum(axis=(1, 2)) / max(1, part.rows)
        found = effective_rows(
            centres[:, None], noise[..., None], np.array([part.rows]), np.array([part.sources]),
            confidence=self.confidence,
        )  # fmt: skip
        return found[:, 0]

    def _varying(self, shares: Floats, noise: Floats) -> Estimate:
        """Return the mean of the models' shares ``[M]``, given what drawn test sets add to each, ``[B, M]``."""
        value = float(shares.mean())
        low, high = middle_of(value + noise.mean(axis=1) + self.seed_noise(shares), self.confidence)
        return Estimate(value, float(low), float(high))

    def _smallest(self, shares: Floats, rows: Floats) -> tuple[Estimate, int | None]:
        if not shares.shape[1]:
            return UNDEFINED, None
        drawn = self.seed_noise(shares.min(axis=1))
        error = float(np.quantile(np.abs(drawn), self.confidence))
        found = smallest_limits(Sized(shares=shares, rows=rows), confidence=self.confidence, seed_error=error)
        return found.at(()), int(shares.mean(axis=0).argmin())

    def seed_noise(self, values: Floats) -> Floats:
        """Return what other seeds, as many, would add to the mean of ``values`` ``[M, ...]``: ``[B, ...]``.

        Student's t with M - 1 degrees of freedom, times sd / sqrt(M); nothing for a single model, whose spread is
        unknown.
        """
        models = len(values)
        if models < 2:
            return np.zeros((self.draws, *values.shape[1:]))
        if models not in self._of_seeds:
            self._of_seeds[models] = np.random.default_rng([self._seed, 1]).standard_t(models - 1, size=self.draws)
        error = values.std(axis=0, ddof=1) / np.sqrt(models)
        return np.asarray(self._of_seeds[models].reshape(-1, *[1] * error.ndim) * error)


class _Part(NamedTuple):
    """Some subgroups: those of a group, of a class, or all.

    Attributes:
        own: their place in arrays ``[G + 1, C]``.
        rows: their samples.
        sources: sources with samples in them.
    """

    own: tuple[slice, ...]
    rows: int
    sources: int


def _evidence(samples: Samples, code: Ints, values: Floats, drawing: Drawing) -> Evidence:
    """Return the rows of known group, each class a stratum, whose outcomes have these values ``[codes, M]``."""
    known = samples.groups >= 0
    rows = GroupedRows(
        groups=samples.groups[known],
        strata=samples.labels[known],
        codes=code[known],
        sources=samples.sources[known],
        shape=(samples.num_groups, samples.num_classes, len(values)),
    )

    def tally(counts: Ints) -> tuple[Floats, Floats]:
        whole = counts.sum(axis=-1)[..., None, :, :].astype(np.float64)
        if values.shape == (2, 1):  # a single model: wrong and right
            return counts[..., None, :, :, 1].astype(np.float64), whole
        return np.moveaxis(counts @ values, -1, -3), whole

    return Evidence(
        rows=rows, tally=tally, independent_rows=rows.independent_rows, draws=drawing.draws, seed=drawing.seed
    )


def _sources(rows: Rows, shape: tuple[int, int]) -> Ints:
    """Return the sources with rows in each cell, and last in each group, each class and all, ``[G + 1, C + 1]``."""
    found = np.zeros((shape[0] + 1, shape[1] + 1), np.int64)
    group, label = np.divmod(rows.cell, shape[1])
    found[:-1, :-1] = sources_per_cell(rows.cell, rows.owner, rows.num_cells).reshape(shape)
    found[:-1, -1] = sources_per_cell(group, rows.owner, shape[0])
    found[-1, :-1] = sources_per_cell(label, rows.owner, shape[1])
    found[-1, -1] = rows.num_sources
    return found


def _coded(correct: Flags) -> tuple[Ints, Floats]:
    """Return each sample's outcome as a number, and what each outcome adds: float64 ``[codes, M]``, 1 if correct."""
    models = len(correct)
    if models <= 4:
        code = (correct * (1 << np.arange(models))[:, None]).sum(axis=0)
        return code, (np.arange(1 << models)[:, None] >> np.arange(models) & 1).astype(np.float64)
    # All wrong and all right are outcomes even if no sample has them.
    rows = np.concatenate([correct.T, np.repeat([[False], [True]], models, axis=1)])
    packed = np.packbits(rows, axis=1)  # sorted as the rows are, in a fraction of the time
    _, first, code = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    return code[:-2], rows[first].astype(np.float64)
