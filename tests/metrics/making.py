"""Small test sets with known accuracies, for the tests of the metrics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fairdistill.metrics import Samples, group_counts


class Table(NamedTuple):
    """Which rows are right, their classes and groups, and a source of its own for each."""

    correct: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    sources: np.ndarray

    def samples(self, classes: int = 2, groups: int = 2) -> Samples:
        return Samples(
            labels=self.labels, groups=self.groups, sources=self.sources, num_classes=classes, num_groups=groups
        )


def worked(right: Any, rows: Any) -> Table:
    """Rows of every cell ``[G, C]``, of which just the first ``right`` are right."""
    right = np.asarray(right)
    rows = np.broadcast_to(rows, right.shape)
    group, label = (np.repeat(index, rows.ravel()) for index in np.indices(right.shape).reshape(2, -1))
    correct = np.concatenate(
        [np.arange(n) < k for n, k in zip(rows.ravel().tolist(), right.ravel().tolist(), strict=True)]
    )
    return Table(correct, label, group, np.arange(len(label)))


def drawn(accuracy: Any, rows: Any, *, seed: int) -> Table:
    """Rows of every cell ``[G, C]``, right with that probability each."""
    accuracy = np.asarray(accuracy)
    table = worked(np.zeros(accuracy.shape, int), rows)
    chance = np.random.default_rng(seed).random(len(table.labels))
    return table._replace(correct=chance < accuracy[table.groups, table.labels])


Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def predictions(classes: int, groups: int, rows: int, *, seed: int) -> Columns:
    """True and predicted classes, and groups that differ in both."""
    draw = np.random.default_rng(seed)
    group = draw.integers(0, groups, rows)
    true = np.minimum(draw.integers(0, classes, rows) + (draw.random(rows) < group / (2 * groups)), classes - 1)
    wrong = draw.random(rows) < 0.2 + 0.3 * group / groups
    return true, np.where(wrong, draw.integers(0, classes, rows), true), group


def counted(columns: Columns, classes: int, groups: int) -> np.ndarray:
    true, predicted, group = columns
    return group_counts(true, predicted, group, num_classes=classes, num_groups=groups)
