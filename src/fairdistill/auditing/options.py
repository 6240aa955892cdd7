"""Options of an audit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from fairdistill.contract import check_types, given_path
from fairdistill.errors import UsageError
from fairdistill.metrics import Design, Drawing
from fairdistill.predictions import Predictions, TableColumns
from fairdistill.predictions.table.writing import check_table_path
from fairdistill.predictions.trained.running_options import RunningOptions
from fairdistill.tables.frames import Frame


@dataclass(frozen=True, kw_only=True)
class IntervalOptions:
    """Confidence intervals."""

    confidence: float = 0.95
    """Confidence level of every interval."""
    draws: int = 10_000
    """Number of resampled test sets for the intervals."""
    seed: int = 0
    """Seed for the resampling."""
    design: Literal["auto", "random", "balanced"] = "auto"
    """How the test set was sampled: random (chance decided how many samples of a group each class has), balanced (the
    number of samples in every subgroup was planned), or auto: balanced for built-in data with a balanced test set, else
    random."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.confidence < 1:
            raise UsageError(f"expected confidence to lie between 0 and 1, but got {self.confidence}")
        if not 100 <= self.draws <= 1_000_000:
            raise UsageError(f"expected draws to lie between 100 and 1,000,000, but got {self.draws}")
        if self.seed < 0:
            raise UsageError(f"expected seed to be at least 0, but got {self.seed}")
        needed = math.ceil(10 / (1 - self.confidence))
        if self.draws < min(needed, 1_000_000):
            raise UsageError(f"confidence {self.confidence:g} needs at least {needed:,} draws, but got {self.draws:,}")

    @property
    def drawing(self) -> Drawing:
        """The options as the statistics take them."""
        design: Design = "balanced" if self.design == "balanced" else "random"
        return Drawing(confidence=self.confidence, draws=self.draws, seed=self.seed, design=design)

    def of(self, predictions: Predictions) -> Self:
        """Return the options with the design of these predictions' test set, unless they name one."""
        return replace(self, design=predictions.design) if self.design == "auto" else self


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """Limits."""

    max_deo_a: float | None = None
    """Largest DEO_A to accept (0.05 = 5 points): exit code 0 if DEO_A is at most that with the stated confidence, 1 if
    it is above, 3 if the data cannot tell."""
    max_deo_m: float | None = None
    """Largest DEO_M to accept; works like --max-deo-a."""
    min_accuracy: float | None = None
    """Smallest accuracy to accept (0.9 = 90%); works like --max-deo-a."""
    max_worst_gap: float | None = None
    """Largest worst gap to accept: the accuracy of all samples minus that of the worst subgroup; works like
    --max-deo-a."""
    max_harm: float | None = None
    """With --against: the most by which the accuracy of any subgroup may fall (0.02 = 2 points); works like
    --max-deo-a."""
    allow_undecided: bool = False
    """Exit with 0 instead of 3 if the data cannot tell whether a limit is met."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("max_deo_a", "max_deo_m", "min_accuracy", "max_worst_gap", "max_harm"):
            limit = getattr(self, name)
            if limit is not None and not 0 <= limit <= 1:
                raise UsageError(f"expected {name} to be a fraction in [0, 1], but got {limit}; 5% is 0.05")


@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """Selection."""

    positive: str | None = None
    """Class that means being selected (hired, admitted, matched), for impact ratios. Default: each class in turn; the
    smallest ratio counts."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """Comparison with other predictions."""

    against: str | Path | Predictions | Frame | None = None
    """Table (- for standard input) or run folder with another model's predictions for the same samples: adds a paired
    test and the change in each subgroup. Default for a run: its teacher."""
    validation: str | Path | Predictions | Frame | None = None
    """Table of the model's predictions on a validation set: adds the post-hoc baselines, fitted on them. Default for a
    run, or a model with --data: its own."""

    def __post_init__(self) -> None:
        for name in ("against", "validation"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Predictions | Frame):
                object.__setattr__(self, name, given_path(name, value))


@dataclass(frozen=True, kw_only=True)
class TestSetOptions(RunningOptions):
    """Data."""

    data: str | None = None
    """Data set to run the model on: {datasets}, a table (.csv, .tsv, .jsonl, .parquet) or a folder of
    class folders."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, or a table's own folder."""
    rows: Literal["auto", "all", "train", "val", "test"] = "auto"
    """Rows of the data to run the model on: all, train, val or test; auto: test, or all rows of a table or folder
    without splits (the test rows of a run that was trained on the others)."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options by name, with --data."""


@dataclass(frozen=True, kw_only=True)
class AttributeOptions:
    """Several attributes."""

    yes_value: Mapping[str, str] = field(default_factory=dict)
    """With several columns in --label: the value of one that means yes, for example glasses=worn; can be repeated.
    Default: 1, yes, true or the column's own name, else the second value."""
    attribute: str | None = None
    """Column that names the attribute, in a table with a row for each sample and attribute; --label, --pred, --prob and
    --score are then its columns, and all attributes have the same two answers."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, kw_only=True)
class ModelOptions(TestSetOptions):
    """The model's predictions."""

    predictions_out: str | None = None
    """Table to write (.csv, .tsv) with the model's predictions for these rows, which audit reads again: audit TABLE."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.predictions_out is not None:
            check_table_path(self.predictions_out, "--predictions-out")


@dataclass(frozen=True, kw_only=True)
class AuditOptions(
    IntervalOptions, LimitOptions, SelectionOptions, ComparisonOptions, AttributeOptions, TableColumns, ModelOptions
):
    """All options of an audit: intervals, limits, selection, comparison, and the source to audit."""

    def __post_init__(self) -> None:
        for group in AuditOptions.__bases__:
            group.__post_init__(self)  # type: ignore[attr-defined]  # each of the bases has one
        if self.data is not None and self.validation is not None:
            raise UsageError(
                "--validation applies only to tables; with --data, the model is run on the data set's validation set"
            )
        if self.attribute is not None and self.data is not None:
            raise UsageError(
                "--attribute applies only to tables of predictions; with --data, name columns with --label"
            )
        if self.data is not None and self.max_harm is not None and self.against is None:
            raise UsageError("--max-harm needs another model to compare with; name its predictions with --against")
        if self.data is None and self.rows != "auto":
            raise UsageError(f"--rows {self.rows} applies only to a model that is run with --data; drop --rows")
        if self.data is None and self.predictions_out is not None:
            raise UsageError("--predictions-out applies only to a model that is run with --data; drop it")
