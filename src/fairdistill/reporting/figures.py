"""The data behind the figures of the page; ``page.js`` draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairdistill.contract import Result
from fairdistill.metrics import Estimate, Gap
from fairdistill.runs import RunFolder


@dataclass(frozen=True, kw_only=True)
class Curve(Result):
    """The evaluations of one run during training; fractions, None where undefined."""

    seed: int
    step: tuple[int, ...]
    accuracy: tuple[float | None, ...]
    deo_a: tuple[float | None, ...]

    @classmethod
    def of(cls, run: RunFolder) -> Curve:
        """Read the curve of a run from its log."""
        log = run.read_log()
        return cls(
            seed=run.config["seed"],
            step=tuple(row["step"] for row in log),
            accuracy=tuple(row["evaluation"]["accuracy"] for row in log),
            deo_a=tuple(row["evaluation"]["deo_a"] for row in log),
        )


@dataclass(frozen=True, kw_only=True)
class FigureRow(Result):
    """What the figures show of one method.

    Attributes:
        label: the method.
        accuracy, deo_a: with intervals.
        cells: accuracy of each subgroup, ``[G][C]``.
        change: change of each subgroup from the teacher, ``[G][C]``, None where there is no sample; None without a
            teacher.
        harmed: which of them got significantly worse.
        curves: one per seed.
    """

    label: str
    accuracy: Estimate
    deo_a: Gap
    cells: tuple[tuple[float, ...], ...]
    change: tuple[tuple[float | None, ...], ...] | None
    harmed: tuple[tuple[bool | None, ...], ...] | None
    curves: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True)
class Picture(Result):
    """A t-SNE of one method's features: per network one list per dimension, scaled into [-1, 1]."""

    label: str
    n: int
    tap: str
    labels: Sequence[int]
    groups: Sequence[int]
    student: tuple[tuple[float, ...], ...]
    teacher: tuple[tuple[float, ...], ...] | None

    @classmethod
    def of(cls, label: str, embedding: Mapping[str, Any]) -> Picture:
        """Return the picture from the content of ``embedding.json``."""
        rows, teacher = embedding["rows"], embedding["teacher"]
        return cls(
            label=label,
            n=embedding["n"],
            tap=embedding["tap"],
            labels=rows["labels"],
            groups=rows["groups"],
            student=_scaled(embedding["student"]["coordinates"]),
            teacher=None if teacher is None else _scaled(teacher["coordinates"]),
        )


@dataclass(frozen=True, kw_only=True)
class Figures(Result):
    """The data of all figures.

    Attributes:
        class_names, group_names: in the order of every ``[G][C]``.
        rows: one per method.
        evaluated_on: the images that the training curves were measured on.
        pictures: the t-SNE pictures.
    """

    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    rows: tuple[FigureRow, ...]
    evaluated_on: str
    pictures: tuple[Picture, ...]

    @property
    def has_gaps(self) -> bool:
        """Whether the DEO_A of a method is defined on the test set."""
        return any(not math.isnan(row.deo_a.value) for row in self.rows)

    @property
    def has_gap_curves(self) -> bool:
        """Whether DEO_A is defined at any evaluation during training."""
        return any(value is not None for row in self.rows for curve in row.curves for value in curve.deo_a)


def _scaled(coordinates: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Return one tuple per dimension, scaled into [-1, 1] with three digits; t-SNE's own scale means nothing."""
    points = np.array(coordinates, float)
    points = points - points.mean(axis=0)
    largest = float(np.abs(points).max(initial=0.0)) or 1.0
    return tuple(map(tuple, np.round(points.T / largest, 3).tolist()))
