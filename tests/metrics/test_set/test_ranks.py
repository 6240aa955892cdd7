"""Nothing depends on the order of rows, groups and classes, nor on the numbers of sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics import Drawing, Estimate, Resampled, Samples
from fairdistill.metrics.parity_gaps import parity_gaps
from fairdistill.metrics.test_set.canonical import canonical_order
from fairdistill.metrics.test_set.ranks import numbered_kinds, ranked

GROUPS, CLASSES = 3, 3


class Table(NamedTuple):
    """Rows as arrays."""

    labels: np.ndarray
    predicted: np.ndarray
    groups: np.ndarray
    sources: np.ndarray

    @property
    def samples(self) -> Samples:
        return Samples(
            labels=self.labels, groups=self.groups, sources=self.sources, num_classes=CLASSES, num_groups=GROUPS
        )


@st.composite
def turned_tables(draw: st.DrawFn) -> tuple[Table, Table, list[int], list[int]]:
    """A table, and the same with rows, groups, classes and sources renumbered; the new numbers of the last two."""
    few = draw(st.integers(1, 40))
    cell = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-1, 2), st.integers(0, few))
    rows = draw(st.lists(cell, min_size=1, max_size=60))
    labels, predicted, groups, sources = map(np.array, zip(*rows, strict=True))
    if draw(st.booleans()):
        sources = np.arange(len(rows))
    of_group, of_class = draw(st.permutations(range(GROUPS))), draw(st.permutations(range(CLASSES)))
    order = np.array(draw(st.permutations(range(len(rows)))))
    turned = Table(
        np.array(of_class)[labels[order]],
        np.array(of_class)[predicted[order]],
        np.array([*of_group, -1])[groups[order]],
        (sources.max() - sources[order]) * 7,
    )
    return Table(labels, predicted, groups, sources), turned, of_group, of_class


@settings(deadline=None, derandomize=True, max_examples=30)
@given(turned_tables(), st.sampled_from(["random", "balanced"]))
def test_accuracies_gaps_and_the_gate_do_not_depend_on_order_or_names(found: Any, design: Any) -> None:
    table, turned, of_group, of_class = found
    drawing = Drawing(draws=100, design=design)
    one, other = (Resampled((each.labels == each.predicted)[None], each.samples, drawing) for each in (table, turned))
    same(one.rows, other.rows[of_group][:, of_class])
    same(one.shares, other.shares[:, of_group][..., of_class])
    for value in (
        Resampled.accuracy,
        Resampled.balanced_accuracy,
        Resampled.class_balanced_accuracy,
        worst_group,
        worst_cell,
        deo_a,
        deo_m,
    ):
        close([value(one)], [value(other)])
    # Of groups that are alike, either may get the numbers drawn for the first.
    close(map(one.group_accuracy, range(3)), map(other.group_accuracy, range(3)))
    close(map(one.class_accuracy, range(3)), map(other.class_accuracy, range(3)))
    close(one.gap_by_class(), other.gap_by_class())
    for gap, again in zip(
        parity_gaps(table.predicted, table.samples, drawing),
        parity_gaps(turned.predicted, turned.samples, drawing),
        strict=True,
    ):
        same(astuple(gap), astuple(again))


def worst_group(sample: Resampled) -> Estimate:
    return sample.worst_group()[0]


def deo_a(sample: Resampled) -> Estimate:
    return sample.gap("mean")


def deo_m(sample: Resampled) -> Estimate:
    return sample.gap("max")


def worst_cell(sample: Resampled) -> Estimate:
    return sample.worst_cell()[0]


def same(one: Any, other: Any) -> None:
    np.testing.assert_array_equal(one, other)


def close(one: Iterable[Estimate], other: Iterable[Estimate]) -> None:
    """In some order; sums over other orders differ in the last digit."""
    found = [
        sorted(np.nan_to_num(np.round(astuple(each), 9), nan=-1).tolist() for each in part) for part in (one, other)
    ]
    np.testing.assert_allclose(*found, atol=1e-9)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.data())
def test_the_canonical_order_undoes_every_permutation(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 4)) for _ in range(2))
    cells = data.draw(st.lists(st.integers(0, 1), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    counts = np.array(cells).reshape(*shape, 1)
    turned = counts[data.draw(st.permutations(range(shape[0])))][:, data.draw(st.permutations(range(shape[1])))]
    (groups, strata), (again, too) = canonical_order(counts), canonical_order(turned)
    assert sorted(groups) == list(range(shape[0]))
    assert sorted(strata) == list(range(shape[1]))
    same(counts[groups][:, strata], turned[again][:, too])


def test_the_last_group_keeps_its_number() -> None:
    for seed in range(20):
        draw = np.random.default_rng(seed)
        groups, labels = draw.integers(0, 4, (2, 50))
        ranks = ranked(
            groups=groups, classes=(labels,), codes=labels % 2, sources=np.arange(50), shape=(4, 4), last=True
        )
        assert ranks.groups[-1] == 3
        assert sorted(ranks.groups) == sorted(ranks.classes) == [0, 1, 2, 3]


@pytest.mark.parametrize("stop", [10, 10**9])
def test_kinds_are_numbered_in_order(stop: int) -> None:
    kinds, place = numbered_kinds(np.array([7, 3, 7, 9]), stop)
    assert kinds.tolist() == [3, 7, 9]
    assert place.tolist() == [1, 0, 1, 2]
