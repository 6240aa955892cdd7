"""The options of a search; how each trial is trained are the options of ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fairdistill.choosing import DEFAULT_RULE, Rule, parse_objectives, parse_rule
from fairdistill.contract import check_at_least_one, check_types
from fairdistill.text.durations import parse_duration


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """Search."""

    search: Mapping[str, str] = field(default_factory=dict)
    """Hyperparameter to search: NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C; repeat for several. NAME is a setting
    of the method (as for --set), lr, weight_decay or batch_size. Default: the method's strength, if it has exactly one,
    from a tenth to ten times the paper's value."""
    sampler: Literal["auto", "tpe", "random", "grid"] = "auto"
    """How values are proposed: tpe, random, grid (evenly spaced points of each range), or auto: grid if every
    hyperparameter is a list of values, otherwise tpe."""
    trials: int | None = None
    """Total number of trials, including those already run. Default: one per combination if every hyperparameter is a
    list of values, otherwise 10."""
    budget: str | None = None
    """Time limit for this call, for example 90s, 30m or 2h. A trial that would not finish in time is not started."""
    early_stopping: bool = True
    """Stop a trial early if a finished trial is better in every objective, by more than chance would explain."""


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions:
    """Choice of a trial."""

    rule: str = DEFAULT_RULE
    """How to choose a trial on the validation set: METRIC, or METRIC subject to CONDITION and CONDITION ...; in a
    condition, teacher stands for the teacher's value of the same metric."""
    objectives: str = "accuracy,deo_a"
    """Metrics to optimize and to draw the Pareto front for: two or three of accuracy,
    balanced_accuracy, deo_a, deo_m."""
    test: bool = True
    """Read the test set once, for the chosen trial, which closes the study. --no-test leaves the study open."""


@dataclass(frozen=True, kw_only=True)
class StorageOptions:
    """Storage of the study."""

    storage: str | None = None
    """Optuna storage URL of the study, for example of a database that several machines share. Default: a file in
    --out."""
    study: str | None = None
    """Name of the study in its storage. Default: DATA-METHOD-seedN."""


@dataclass(frozen=True, kw_only=True)
class TuneOptions(StorageOptions, ChoiceOptions, SearchOptions):
    """Options of a search: its space, its limits, and the choice of a trial.

    Raises:
        UsageError: if a value is out of its range or cannot be parsed.

    Example:
        >>> TuneOptions(search={"mfd.strength": "0.3:30:log"}, trials=8).parsed_objectives
        ('accuracy', 'deo_a')
    """

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least_one(self, "trials")
        _ = self.seconds, self.parsed_rule, self.parsed_objectives

    @property
    def seconds(self) -> float | None:
        """The budget in seconds."""
        return None if self.budget is None else parse_duration(self.budget, "budget")

    @property
    def parsed_rule(self) -> Rule:
        """The rule that chooses a trial."""
        return parse_rule(self.rule, reference="teacher")

    @property
    def parsed_objectives(self) -> tuple[str, ...]:
        """The metrics of the Pareto front."""
        return parse_objectives(self.objectives)
