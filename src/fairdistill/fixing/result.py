"""The result of a fix, as typed values; ``fix.json`` is :meth:`FixResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fairdistill.auditing import AuditResult, ModelChange
from fairdistill.contract import Result, key
from fairdistill.metrics import Change

WhyKept = Literal["fair", "undecided", "best", "no gain"]
"""Why the deployed model is kept: its gap is small enough; it is within chance; no candidate is better by the rule;
the candidate that the rule picks is not significantly better."""


@dataclass(frozen=True, kw_only=True)
class CandidateResult(Result):
    """One candidate on the validation set.

    Attributes:
        name: short, for tables.
        description: what it is, for sentences.
        needs_group: whether a person's group must be known when it is used.
        accuracy, deo_a, deo_m: on the validation set; fractions.
        breaks_rule: each condition of the rule that it breaks, in words.
    """

    name: str
    description: str = key("said")
    needs_group: bool
    accuracy: float
    deo_a: float
    deo_m: float
    breaks_rule: tuple[str, ...]

    def __getitem__(self, metric: str) -> float:
        """Return a metric by its name, as a rule reads it."""
        return {"accuracy": self.accuracy, "deo_a": self.deo_a, "deo_m": self.deo_m}[metric]


@dataclass(frozen=True, kw_only=True)
class Dropped(Result):
    """The candidate that the rule picks, but whose gain is not significant.

    Attributes:
        name: of the candidate.
        description: what it is.
        change: what it changes on the validation set.
    """

    name: str
    description: str = key("said")
    change: ModelChange


@dataclass(frozen=True, kw_only=True)
class TestRead(Result):
    """An earlier reading of the test set in the same folder, for another candidate.

    Attributes:
        chosen: the candidate.
        rule: the rule that chose it.
    """

    __test__ = False  # not a class of tests

    chosen: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class FixResult(Result):
    """The result of a fix, and its recommendation.

    Attributes:
        promised: what the chosen candidate changes on the validation set; None if the deployed model is kept.
        dropped: the candidate that the rule picks although its gain is not significant, if that is why the model is
            kept.
        version: of fairdistill.
        deployed: path of the deployed model.
        rule: the rule that chooses a candidate.
        metric: the metric that the rule optimizes.
        chosen: name of the chosen candidate; ``keep`` is the deployed model as it is.
        description: what the chosen candidate is.
        why_kept: why the deployed model is kept, None if it is not.
        breaks_rule: each condition of the rule that the chosen candidate breaks, in words.
        fair_enough: the limit of DEO_A below which nothing is trained.
        needs_group: whether a person's group must be known when the chosen candidate is used.
        settings: what was fitted or chosen for it.
        use: how to decide with it, if it corrects the deployed model's outputs.
        model: its weights, if it is a student.
        epochs: of each student.
        candidates: all of them, the deployed model first.
        validation: audit of the deployed model on the validation set.
        notes: what a reader should know about the data and the search.
        test_read_before: for which other candidates the test set was read earlier.
        test_before: audit of the deployed model on the test set.
        test_after: audit of the chosen candidate there; None if the deployed model is kept.
        kept: what the chosen candidate changes on the test set.
        confirmed: whether the test set confirms the gain; None if the deployed model is kept.
    """

    promised: ModelChange | None
    dropped: Dropped | None
    version: str = key("fairdistill")
    deployed: str
    rule: str
    metric: str
    chosen: str
    description: str = key("said")
    why_kept: WhyKept | None
    breaks_rule: tuple[str, ...]
    fair_enough: float
    needs_group: bool
    settings: Mapping[str, Any] | None
    use: str | None
    model: str | None
    epochs: int
    candidates: tuple[CandidateResult, ...]
    validation: AuditResult
    notes: tuple[str, ...]
    test_read_before: tuple[TestRead, ...]
    test_before: AuditResult
    test_after: AuditResult | None
    kept: ModelChange | None
    confirmed: bool | None

    @property
    def keeps(self) -> bool:
        """Whether the deployed model is kept as it is, on the evidence of the validation set."""
        return self.chosen == "keep"


def in_metric(change: ModelChange, metric: str) -> Change:
    """Return the change in one metric: ``accuracy``, ``deo_a`` or ``deo_m``."""
    return {"accuracy": change.accuracy, "deo_a": change.deo_a, "deo_m": change.deo_m}[metric]
