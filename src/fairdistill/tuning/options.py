"""The options of a search; what each of its trials is trained with are the options of ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fairdistill.choosing import DEFAULT_RULE, Rule, parse_objectives, parse_rule
from fairdistill.contract.checks import check_types
from fairdistill.errors import UsageError
from fairdistill.text.durations import parse_duration


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """What is searched, for how long, and how one of the trials is chosen.

    Raises:
        UsageError: if a value is out of its range or cannot be read.

    Example:
        >>> TuneOptions(search={"mfd.strength": "0.3:30:log"}, trials=8).parsed_objectives
        ('accuracy', 'deo_a')
    """

    search: Mapping[str, str] = field(default_factory=dict)
    """What is searched, NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C, again and again; NAME is a setting of the
    method, as for --set, or lr, weight_decay or batch_size; default: the strength of a method that has one alone, from
    a tenth to ten times the paper's value."""
    sampler: Literal["auto", "tpe", "random", "grid"] = "auto"
    """auto (grid if all values are listed, else tpe), tpe, random, or grid: of a range evenly spaced points."""
    trials: int | None = None
    """Trials of the whole study, those before among them; default: every point of listed values, else 10."""
    budget: str | None = None
    """Time of this call, such as 90s, 30m or 2h; no trial is begun that would not end within it."""
    rule: str = DEFAULT_RULE
    """What to choose by, on validation rows; teacher is the teacher on the same rows."""
    objectives: str = "accuracy,deo_a"
    """What the front is over and the search after: two or three of accuracy, deo_a, deo_m."""
    storage: str | None = None
    """Where the study is kept: any storage URL of Optuna's, so that machines share it; default: a file in --out."""
    study: str | None = None
    """Name of the study in its storage; default: DATA-METHOD-seedN."""
    early_stopping: bool = True
    """Stop a trial that a finished one beats in every objective, well beyond chance."""
    test: bool = True
    """Read the test set, once, for the chosen trial; that ends the study. --no-test leaves it open."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.trials is not None and self.trials < 1:
            raise UsageError(f"expected trials to be at least 1, but got {self.trials}")
        _ = self.seconds, self.parsed_rule, self.parsed_objectives

    @property
    def seconds(self) -> float | None:
        """The budget in seconds."""
        return None if self.budget is None else parse_duration(self.budget, "budget")

    @property
    def parsed_rule(self) -> Rule:
        """What to choose by."""
        return parse_rule(self.rule)

    @property
    def parsed_objectives(self) -> tuple[str, ...]:
        """The metrics that the front is over."""
        return parse_objectives(self.objectives)
