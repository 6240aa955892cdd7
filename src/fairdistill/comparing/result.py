"""Finished runs side by side, as typed values; ``compare --format json`` prints :meth:`CompareResult.to_dict`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairdistill.comparing.recipes import Recipe
from fairdistill.contract import Result
from fairdistill.drawing import Plotted
from fairdistill.metrics import METRICS


@dataclass(frozen=True)
class OverSeeds:
    """One metric over the runs of a row.

    Attributes:
        values: one fraction per run, in the order of the seeds; NaN where undefined.

    Example:
        >>> OverSeeds((0.25, 0.75)).mean
        0.5
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds; NaN if the value of any run is undefined."""
        return statistics.fmean(self.values)

    @property
    def sd(self) -> float:
        """Standard deviation over the seeds (ddof 1); NaN for a single seed."""
        if len(self.values) < 2 or any(math.isnan(value) for value in self.values):
            return math.nan
        return statistics.stdev(self.values)


@dataclass(frozen=True, kw_only=True)
class CompareRow(Result):
    """One recipe: runs that differ only in their seeds.

    Attributes:
        method: canonical name of the method.
        differs: settings that set this row apart from other rows of the same method, by name.
        seeds: seeds of the runs, in ascending order.
        accuracy: over the seeds.
        deo_a: mean over the classes of the difference between groups, over the seeds.
        deo_m: largest difference over the classes, over the seeds.
        steps: optimizer steps of each run.
        samples: images seen in each run.
        collapsed: seeds whose model predicts a single class.
        paths: the run folders.
        code: a hash of each file of the user's own code that the runs were trained with.
        collapsed_attributes: of several attributes, those for which a single answer is predicted, and the seeds.
        recipe: what the runs have in common; empty for some rows of files that are older than this record.
        teacher_settings: the settings of their teacher's run; empty without a teacher, and for runs that are older.
    """

    method: str
    differs: Mapping[str, Any]
    seeds: tuple[int, ...]
    accuracy: OverSeeds
    deo_a: OverSeeds
    deo_m: OverSeeds
    steps: int
    samples: int
    collapsed: tuple[int, ...]
    paths: tuple[str, ...]
    code: Mapping[str, str] = field(default_factory=dict)
    collapsed_attributes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    recipe: Recipe = Recipe()  # noqa: RUF009  # it is frozen
    teacher_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The method, followed by whatever sets the row apart from other rows of that method."""
        extra = ", ".join(f"{name}={value}" for name, value in self.differs.items())
        return f"{self.method} ({extra})" if extra else self.method

    def metric(self, name: str) -> OverSeeds:
        """Return a metric by its name in files: accuracy, deo_a or deo_m."""
        found: OverSeeds = getattr(self, name)
        return found

    def record(self) -> dict[str, Any]:
        """Return the row as it is written to CSV: one flat record."""
        metrics = {name: self.metric(name) for name in METRICS}
        return {
            "method": self.label,
            "n": len(self.seeds),
            **{f"{name}_{kind}": getattr(values, kind) for name, values in metrics.items() for kind in ("mean", "sd")},
            "steps": self.steps,
            "samples": self.samples,
            "collapsed_seeds": list(self.collapsed),
            "seeds": list(self.seeds),
            "runs": list(self.paths),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the row as it is written to JSON: the record, and of every run what the record has no room for."""
        values = {name: list(self.metric(name).values) for name in METRICS}
        collapsed = {name: list(seeds) for name, seeds in self.collapsed_attributes.items()}
        return {
            **self.record(),
            "values": values,
            "code": dict(self.code),
            "collapsed_attributes": collapsed,
            "recipe": self.recipe.content,
            "teacher_settings": dict(self.teacher_settings),
        }


@dataclass(frozen=True, kw_only=True)
class CompareResult(Result, Plotted):
    """Rows measured on one test set.

    Attributes:
        data: the data set and its options.
        protocol: the protocol, or both names if the rows follow different ones.
        made_with: versions and hardware of the runs, each combination once.
        largest_class: share of the largest class in the test set, NaN if unknown.
        tested_on: the test set's digest, "" if unknown.
        rows: one per recipe, in the order of the paper's tables; other methods follow in the order given.
    """

    data: str
    protocol: str
    made_with: tuple[str, ...]
    largest_class: float
    tested_on: str
    rows: tuple[CompareRow, ...]
