"""Simulated designs of a test set, with known accuracies: the cases that benchmarks/coverage.py tries.

A design fixes the subgroups' sizes, or draws each group's classes at random as a random sample of people does, and says
how rows hang together: pictures that every group shows (CIFAR-10S shows each in grey and in colour), or people with
several photographs each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fairdistill.metrics import Samples
from fairdistill.metrics.arrays import spread
from fairdistill.metrics.gap.true_gaps import over

Floats = NDArray[np.float64]
Kind = Literal["each", "mean", "max"]


@dataclass(frozen=True, eq=False)
class Design:
    """Two models with known accuracies, and the test sets that they are tried on.

    Attributes:
        first: float64 ``[G, C]``: the first model's accuracy in each subgroup.
        second: float64 ``[G, C]``: the second's; the same as the first's if None.
        rows: rows of each subgroup, a number or ``[G, C]``; on average, if ``drawn``.
        linked: which rows hang together: every group shows the same pictures, or people have five photographs.
        drawn: whether each group's classes are drawn at random.
    """

    first: Floats
    second: Floats
    rows: int | NDArray[np.int64] = 100
    linked: Literal["no", "pictures", "people"] = "no"
    drawn: bool = False

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each subgroup, ``[G, C]``."""
        return np.broadcast_to(np.asarray(self.rows, dtype=np.int64), self.first.shape)

    @cached_property
    def truth(self) -> dict[str, float]:
        """The true value of each quantity with an interval."""
        first, second, sizes = self.first, self.second, self.sizes
        mix = sizes / sizes.sum()
        of_group = (first * sizes).sum(axis=1) / sizes.sum(axis=1)
        selected = np.stack([self._selected(group) for group in range(len(first))])
        return {
            "accuracy": float((first * mix).sum()),
            "worst group": float(of_group.min()),
            "worst subgroup": float(first.min()),
            "DEO_A": deo(first, "mean"),
            "DEO_M": deo(first, "max"),
            "parity": float(spread(selected).max()),
            "change of accuracy": float(((second - first) * mix).sum()),
            "change of DEO_A": deo(second, "mean") - deo(first, "mean"),
            "change of DEO_M": deo(second, "max") - deo(first, "max"),
            "change of worst groups": float((second.min(axis=0) - first.min(axis=0)).mean()),
        }

    def _selected(self, group: int) -> Floats:
        """Return how often the first model predicts each class in a group; errors spread evenly over the others."""
        mix = self.sizes[group] / self.sizes[group].sum()
        wrong = mix * (1 - self.first[group]) / (len(mix) - 1)
        return np.asarray(mix * self.first[group] + wrong.sum() - wrong)

    def test_set(self, seed: int) -> TestSet:
        """Return a test set and what both models say of it."""
        generator = np.random.default_rng(seed)
        sizes = self.sizes
        if self.drawn:
            totals = sizes.sum(axis=1)
            sizes = np.stack([generator.multinomial(n, row / n) for n, row in zip(totals, sizes, strict=True)])
        groups, classes = sizes.shape
        cell = np.repeat(np.arange(groups * classes), sizes.ravel())
        group, labels = np.divmod(cell, classes)
        sources = self._sources(sizes, group)
        # How hard a row is: the same for both models in part, and for all rows of one source in part.
        hard = generator.standard_normal(len(cell))
        if self.linked != "no":
            share = {"pictures": 2.0, "people": 1.0}[self.linked]
            hard = (hard + share * generator.standard_normal(sources.max() + 1)[sources]) / np.hypot(1, share)
        other = 0.7 * hard + np.sqrt(1 - 0.7**2) * generator.standard_normal(len(cell))
        first = norm.cdf(hard) < self.first[group, labels]
        second = norm.cdf(other) < self.second[group, labels]
        elsewhere = (labels + generator.integers(1, classes, size=len(cell))) % classes
        samples = Samples(labels=labels, groups=group, sources=sources, num_classes=classes, num_groups=groups)
        return TestSet(samples, first, second, np.where(first, labels, elsewhere))

    def _sources(self, sizes: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = len(group)
        if self.linked == "pictures":
            return np.tile(np.arange(rows // len(sizes)), len(sizes))
        sources = np.arange(rows)
        if self.linked == "people":  # five rows of one group each, of any classes
            mixer = np.random.default_rng(1)
            order = np.concatenate([mixer.permutation(np.flatnonzero(group == each)) for each in range(len(sizes))])
            sources[order] = np.arange(rows) // 5
        return sources


@dataclass(frozen=True, eq=False)
class TestSet:
    """A test set and what two models say of it.

    Attributes:
        samples: the test set.
        first, second: bool ``[N]``: which rows each model gets right.
        predicted: int64 ``[N]``: the classes that the first model predicts.
    """

    samples: Samples
    first: NDArray[np.bool_]
    second: NDArray[np.bool_]
    predicted: NDArray[np.int64]


def deo(accuracies: Floats, kind: Kind) -> float:
    """Return DEO_A (``mean``) or DEO_M (``max``) of accuracies ``[G, C]``."""
    return float(over(spread(accuracies), kind))


def _flat(groups: int, classes: int, accuracy: float) -> Floats:
    return np.full((groups, classes), accuracy)


def _even(groups: int, classes: int, accuracy: float, gap: float) -> Floats:
    """Return accuracies of groups that lie evenly over ``gap`` in every class."""
    return accuracy + np.repeat(np.linspace(gap / 2, -gap / 2, groups)[:, None], classes, axis=1)


def _few(classes: int, unequal: int, accuracy: float, gap: float) -> Floats:
    """Return accuracies of two groups that differ in the first few classes."""
    shift = np.where(np.arange(classes) < unequal, gap, 0.0)
    return accuracy + np.stack([shift / 2, -shift / 2])


def _cifar(first: Floats, second: Floats) -> Design:
    return Design(first, second, 1000, linked="pictures")


_UTKFACE = np.array([[0.76, 0.80, 0.90], [0.71, 0.75, 0.70], [0.74, 0.65, 0.50], [0.75, 0.70, 0.60]])
_BIG = np.array([[0.9, 0.9], [0.8, 0.8], [0.85, 0.85]])
_SKEWED = np.array([[900, 100], [900, 100]])

DESIGNS: Mapping[str, Design] = {
    "CIFAR-10S, no gap": _cifar(_flat(2, 10, 0.8), _flat(2, 10, 0.8)),
    "CIFAR-10S, gap of 2 in every class": _cifar(_even(2, 10, 0.8, 0.02), _flat(2, 10, 0.8)),
    "CIFAR-10S, gap of 20 in every class": _cifar(_even(2, 10, 0.8, 0.2), _flat(2, 10, 0.8)),
    "CIFAR-10S, gap of 30 in one class": _cifar(_few(10, 1, 0.8, 0.3), _few(10, 1, 0.8, 0.15)),
    "CIFAR-10S, two fair models, 70 and 80% accurate": _cifar(_flat(2, 10, 0.7), _flat(2, 10, 0.8)),
    "50 classes, gap of 30 in five": Design(_few(50, 5, 0.8, 0.3), _flat(2, 50, 0.8), 100),
    "10 classes, gap of 30 in one": Design(_few(10, 1, 0.8, 0.3), _flat(2, 10, 0.8), 100),
    "UTKFace, no gap": Design(_flat(4, 3, 0.75), _flat(4, 3, 0.75), 100),
    "UTKFace, gap of 8 in every class": Design(_even(4, 3, 0.75, 0.08), _flat(4, 3, 0.75), 100),
    "UTKFace, gaps of 5, 15 and 40": Design(_UTKFACE, _flat(4, 3, 0.75), 100),
    "UTKFace, two fair models, 65 and 75% accurate": Design(_flat(4, 3, 0.65), _flat(4, 3, 0.75), 100),
    "UTKFace, two models with a gap of 10, 65 and 75% accurate": Design(
        _even(4, 3, 0.65, 0.1), _even(4, 3, 0.75, 0.1), 100
    ),
    "7 groups, 40 rows, no gap": Design(_flat(7, 2, 0.72), _flat(7, 2, 0.72), 40),
    "7 groups, 40 rows, gap of 20": Design(_even(7, 2, 0.72, 0.2), _flat(7, 2, 0.72), 40),
    "20 rows per subgroup, no gap": Design(_flat(2, 2, 0.9), _flat(2, 2, 0.9), 20),
    "20 rows per subgroup, gap of 20": Design(_even(2, 2, 0.85, 0.2), _flat(2, 2, 0.85), 20),
    "20 rows per subgroup, one never right": Design(
        np.array([[0.9, 0.0], [0.9, 0.8]]), np.array([[0.9, 0.5], [0.9, 0.8]]), 20
    ),
    "99% accuracy, no gap": Design(_flat(2, 2, 0.99), _flat(2, 2, 0.99), 200),
    "20 groups, one 15 points worse": Design(
        np.where(np.arange(20)[:, None] == 0, 0.7, _flat(20, 2, 0.85)), _flat(20, 2, 0.85), 100
    ),
    "60 groups, 3 rows, no gap": Design(_flat(60, 2, 0.8), _flat(60, 2, 0.8), 3),
    "two groups of 5,000 rows 10 points apart, a third of 5": Design(
        _BIG, _flat(3, 2, 0.85), np.array([[5000, 5000], [5000, 5000], [5, 5]])
    ),
    "two equal groups of 5,000 rows, a third of 5": Design(
        _flat(3, 2, 0.85), _flat(3, 2, 0.85), np.array([[5000, 5000], [5000, 5000], [5, 5]])
    ),
    "people with 5 photographs, no gap": Design(_flat(2, 5, 0.8), _flat(2, 5, 0.8), 100, linked="people"),
    "people with 5 photographs, gap of 20": Design(_even(2, 5, 0.8, 0.2), _flat(2, 5, 0.8), 100, linked="people"),
    "drawn at random, no gap": Design(_flat(2, 2, 0.8), _flat(2, 2, 0.8), 500, drawn=True),
    "drawn at random, four groups of 100, no gap": Design(_flat(4, 3, 0.75), _flat(4, 3, 0.75), 33, drawn=True),
    "drawn at random, 90% of one class, 95 and 50% right": Design(
        np.array([[0.95, 0.5], [0.95, 0.5]]), np.array([[0.9, 0.7], [0.9, 0.7]]), _SKEWED, drawn=True
    ),
    "drawn at random, gap of 10": Design(_even(2, 2, 0.8, 0.1), _flat(2, 2, 0.8), 500, drawn=True),
    "drawn at random, people with 5 photographs, no gap": Design(
        _flat(2, 2, 0.8), _flat(2, 2, 0.8), 500, linked="people", drawn=True
    ),
}
