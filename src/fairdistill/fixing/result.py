"""The result of a fix, as typed values; ``fix.json`` is :meth:`FixResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairdistill.auditing import AuditResult, ModelChange
from fairdistill.contract import Result, key
from fairdistill.drawing import Plotted
from fairdistill.fixing.search.candidates import Point
from fairdistill.fixing.search.decision import Searched
from fairdistill.fixing.verdict.settling import Settling
from fairdistill.fixing.verdict.treatment import Treatment
from fairdistill.fixing.verdict.verdict import Gain, Reason
from fairdistill.fixing.work.readings import TestRead
from fairdistill.metrics import Change
from fairdistill.reporting.recommendation import CandidateResult, Family, Outcome


@dataclass(frozen=True, kw_only=True)
class FixResult(Result, Plotted):
    """The result of a fix: one of four verdicts, and everything behind it.

    Attributes:
        verdict: ``use``, ``fair``, ``unproven`` or ``undecided``.
        reason: why it is that one.
        treatment: which subgroup is treated worst on the test set.
        promising: the candidate nearest to being better, if none was proven to be.
        settling: the images that would settle an open verdict.
        version: of fairdistill.
        deployed: path of the deployed model.
        data: name or path of the data.
        rule: the rule that chooses a candidate.
        metric: the value that the rule chooses by, as texts name it.
        chosen: name of the candidate that the rule chooses on the validation set; ``keep`` is the deployed model.
        family: what kind of model the chosen candidate is.
        description: what it is.
        breaks_rule: each condition of the rule that the chosen candidate breaks on the validation set, in words.
        breaks_rule_on_test: the same on the test set.
        fair_enough: the limit of DEO_A below which nothing is tried.
        needs_group: whether a person's group must be known when the chosen candidate is used.
        group_at_use: whether a candidate that needs the group could be chosen.
        settings: what was fitted or chosen for it.
        use: how to decide with it, if it corrects the deployed model's outputs.
        model: the chosen candidate's file; None if it is the deployed model, or has no file.
        layer: the only layer in which that file differs from the deployed model's; None for any other file.
        searched: what was tried, and why the search ended.
        candidates: the best of each kind, the deployed model first.
        points: every model that was evaluated on the validation set.
        validation: audit of the deployed model on the validation set.
        notes: what a reader should know about the data and the search.
        test_read_before: for which other candidates the test set was read earlier.
        test_before: audit of the deployed model on the test set.
        test_after: audit of the chosen candidate there; None if that is the deployed model.
        kept: what the chosen candidate changes on the test set.
        kept_worst_subgroup: the change of the lowest accuracy of a subgroup, which may be another one afterwards.
        gain: what it gains in the value that the rule chooses by.
        confirmed: whether the test set confirms the gain; None if the deployed model is chosen.
    """

    verdict: Outcome
    reason: Reason
    treatment: Treatment | None
    promising: str | None
    settling: Settling | None
    version: str = key("fairdistill")
    deployed: str
    data: str
    rule: str
    metric: str
    chosen: str
    family: Family
    description: str
    breaks_rule: tuple[str, ...]
    breaks_rule_on_test: tuple[str, ...]
    fair_enough: float
    needs_group: bool
    group_at_use: bool
    settings: Mapping[str, Any] | None
    use: str | None
    model: str | None
    layer: str | None
    searched: Searched
    candidates: tuple[CandidateResult, ...]
    points: tuple[Point, ...]
    validation: AuditResult
    notes: tuple[str, ...]
    test_read_before: tuple[TestRead, ...]
    test_before: AuditResult
    test_after: AuditResult | None
    kept: ModelChange | None
    kept_worst_subgroup: Change | None
    gain: Gain | None
    confirmed: bool | None

    def candidate(self, name: str) -> CandidateResult:
        """Return a candidate by its name."""
        return next(each for each in self.candidates if each.name == name)
