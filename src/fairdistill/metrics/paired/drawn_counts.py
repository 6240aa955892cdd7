"""Drawn test sets of two models as counts, for changes of any metric that has no test of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from fairdistill.metrics.arrays import Floats, Ints, empirical_p_value
from fairdistill.metrics.counts import Counts
from fairdistill.metrics.paired.changes import Change
from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.metrics.test_set.rows import Rows
from fairdistill.metrics.test_set.samples import Samples

_DRAWS = 1000  # test sets
_SEED = (0, 6)
_TAIL = (1 - 0.95) / 2  # beyond either end of an interval


class DrawnCounts(NamedTuple):
    """One model's predictions for a drawn test set.

    Attributes:
        counts: int64 ``[G, C, C]`` (group, true, predicted) of samples of known group.
        right: correct samples among all, also those of unknown group.
        total: number of all samples.
    """

    counts: Counts
    right: float
    total: float

    @property
    def accuracy(self) -> float:
        """Fraction of correct samples among all."""
        return self.right / self.total if self.total else float("nan")


Value = Callable[[DrawnCounts, DrawnCounts], float]
"""A metric of a model; the second argument is the first of the two models, on the same samples."""


def paired_changes(first: Ints, second: Ints, samples: Samples, values: Mapping[str, Value]) -> dict[str, Change]:
    """Return the change of any metrics from one model to another on the same samples, with 95% intervals.

    A paired bootstrap: sources are drawn with replacement among those of the same subgroup, with both models'
    predictions together, so every subgroup keeps its size. As in :mod:`fairdistill.metrics.bootstrap.drawn`, each
    subgroup has one more source in a draw, with as many samples as a source has there on average, which either model
    gets right or wrong by chance; it keeps a subgroup of few sources from looking certain. The interval is centred on
    the observed change, since drawing again biases extremes (such as the worst subgroup's accuracy) in both models
    alike.

    Args:
        first: int64 ``[N]``: classes that the first model predicts.
        second: int64 ``[N]``: those that the second one predicts.
        samples: the test set.
        values: metrics by name, as functions of a model's counts.

    Returns:
        The change by name; NaN where a metric is undefined for either model.

    Example:
        >>> rows = np.arange(400)
        >>> samples = Samples(labels=rows % 2, groups=rows // 2 % 2, sources=rows, num_classes=2, num_groups=2)
        >>> worse = np.where(rows % 8 == 0, 1, rows % 2)
        >>> found = paired_changes(worse, rows % 2, samples, {"accuracy": lambda drawn, _: drawn.accuracy})["accuracy"]
        >>> found.value, 0.05 < found.low < 0.125 < found.high < 0.2
        (0.125, True)
    """
    whole = np.ones(len(samples.labels))
    observed = {name: _apart(value, *_counted((first, second), samples, whole)) for name, value in values.items()}
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for pair in _drawn((first, second), samples):
        for name, value in values.items():
            drawn[name].append(_apart(value, *pair))
    return {name: _change(observed[name], np.array(drawn[name])) for name in values}


def _apart(value: Value, first: DrawnCounts, second: DrawnCounts) -> float:
    return value(second, first) - value(first, first)


def _change(value: float, drawn: Floats) -> Change:
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(known):
        return Change(float("nan"), float("nan"), float("nan"), float("nan"))
    noise = known - known.mean()
    low, high = value - np.quantile(noise, [1 - _TAIL, _TAIL])
    return Change(value, float(low), float(high), empirical_p_value(abs(value), np.abs(noise)))


def _drawn(predicted: tuple[Ints, Ints], samples: Samples) -> Iterator[tuple[DrawnCounts, DrawnCounts]]:
    generator = np.random.default_rng(_SEED)
    kinds = _Kinds.of(predicted, samples)
    known = samples.groups >= 0
    cell = samples.cells[known]
    filled, rows = np.unique(cell, return_counts=True)
    sources = sources_per_cell(cell, samples.sources[known], int(cell.max(initial=-1)) + 1)[filled]
    added, size = _one_of_each(filled, samples.num_classes), np.rint(rows / sources).astype(np.int64)
    for weight in kinds.weights(generator):
        wrong = generator.integers(0, 2, (2, len(filled)))
        more = tuple((added.labels + each) % samples.num_classes for each in wrong)
        first, second = _counted(kinds.predicted, kinds.samples, weight)
        yield _plus(first, added, more[0], size), _plus(second, added, more[1], size)


class _Kinds(NamedTuple):
    """Sources that are alike for both models, which are drawn together: one of each kind.

    Attributes:
        predicted: of the rows of these sources.
        samples: these rows.
        owner: int64 ``[rows]``: the kind of each row.
        number: int64 ``[K]``: sources of each kind.
        stratum: int64 ``[K]``: the subgroup that a kind is drawn with, the first one of its sources.
    """

    predicted: tuple[Ints, Ints]
    samples: Samples
    owner: Ints
    number: Ints
    stratum: Ints

    @classmethod
    def of(cls, predicted: tuple[Ints, Ints], samples: Samples) -> _Kinds:
        classes = samples.num_classes
        cell = (samples.groups + 1) * classes + samples.labels
        rows = Rows(
            cell=cell, code=predicted[0] * classes + predicted[1], values=np.zeros((classes**2, 1)),
            sources=samples.sources, num_cells=(samples.num_groups + 1) * classes,
        )  # fmt: skip
        first = np.full(rows.num_sources, rows.num_cells)
        np.minimum.at(first, rows.owner, cell)
        _, one, kind, number = np.unique(rows.content, return_index=True, return_inverse=True, return_counts=True)
        kept = np.flatnonzero(one[kind][rows.owner] == rows.owner)
        part = Samples(
            labels=samples.labels[kept], groups=samples.groups[kept], sources=samples.sources[kept],
            num_classes=classes, num_groups=samples.num_groups,
        )  # fmt: skip
        return cls((predicted[0][kept], predicted[1][kept]), part, kind[rows.owner[kept]], number, first[one])

    def weights(self, generator: np.random.Generator) -> Iterator[Floats]:
        """Yield how often each row is drawn, float64 ``[rows]``."""
        strata = [np.flatnonzero(self.stratum == each) for each in np.unique(self.stratum)]
        for _ in range(_DRAWS):
            drawn = np.zeros(len(self.number))
            for kinds in strata:
                total = int(self.number[kinds].sum())
                drawn[kinds] = generator.multinomial(total, self.number[kinds] / total)
            yield drawn[self.owner]


def _one_of_each(cells: Ints, num_classes: int) -> Samples:
    """Return one sample of each subgroup, numbered ``group * C + class``."""
    return Samples(
        labels=cells % num_classes, groups=cells // num_classes, sources=np.arange(len(cells)),
        num_classes=num_classes, num_groups=int(cells.max(initial=0)) // num_classes + 1,
    )  # fmt: skip


def _counted(predicted: tuple[Ints, Ints], samples: Samples, weight: Floats) -> tuple[DrawnCounts, DrawnCounts]:
    first, second = (_one(each, samples, weight) for each in predicted)
    return first, second


def _one(predicted: Ints, samples: Samples, weight: Floats) -> DrawnCounts:
    classes, known = samples.num_classes, samples.groups >= 0
    at = samples.cells * classes + predicted
    shape = (samples.num_groups, classes, classes)
    counts = np.bincount(at[known], weight[known], minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)
    return DrawnCounts(counts, float(weight[predicted == samples.labels].sum()), float(weight.sum()))


def _plus(found: DrawnCounts, added: Samples, predicted: Ints, size: Ints) -> DrawnCounts:
    """Return counts with samples of different subgroups added, each ``size`` times."""
    counts = found.counts.copy()
    counts[added.groups, added.labels, predicted] += size
    right = found.right + float(size[predicted == added.labels].sum())
    return DrawnCounts(counts, right, found.total + float(size.sum()))
