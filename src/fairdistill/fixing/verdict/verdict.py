"""The verdict on a deployed model: a pure function of what the validation set and the test set showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.auditing import AuditResult
from fairdistill.contract import Result
from fairdistill.fixing.verdict.settling import Settling, gain_to_show, settling_gain, settling_gap
from fairdistill.fixing.verdict.treatment import Treatment, treatment
from fairdistill.metrics import Change
from fairdistill.reporting.recommendation import Outcome

Reason = Literal["confirmed", "within limit", "not confirmed", "none better", "not searched", "within chance"]
"""Why: the test set confirms the gain; the gap is within the limit; the test set does not confirm the gain of the
chosen candidate; no candidate is better on the validation set; the gap showed only on the test set, after nothing was
tried; the gap is within chance."""


@dataclass(frozen=True, kw_only=True)
class Verdict(Result):
    """What to do about the deployed model, and why.

    Attributes:
        outcome: one of four.
        reason: why it is that one.
        treatment: which subgroup is treated worst on the test set; None if no class has images of two groups.
        promising: the candidate nearest to being better, if none was proven to be; None if there is none.
        settling: the images that would settle an open verdict; None if nothing is open, or images would not settle it.
    """

    outcome: Outcome
    reason: Reason
    treatment: Treatment | None
    promising: str | None
    settling: Settling | None


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What a candidate changes in the value that the rule chooses by, with the sign that makes a gain positive.

    Attributes:
        promised: on the validation set.
        found: on the test set, with its interval.
        negligible: smaller gains do not matter; 0 if the rule is a function, whose value may have any unit.
    """

    promised: float
    found: Change
    negligible: float

    @property
    def confirmed(self) -> bool:
        """Whether the whole interval on the test set is a gain."""
        return self.found.low > 0

    @property
    def to_show(self) -> float | None:
        """The size of the gain that more images of the test set could show; None if there is nothing to show."""
        return gain_to_show(self.found, self.promised, negligible=self.negligible)


def verdict_of(
    validation: AuditResult,
    test: AuditResult,
    *,
    fair_enough: float,
    after: AuditResult | None = None,
    gain: Gain | None = None,
    searched: bool = True,
    promising: str | None = None,
) -> Verdict:
    """Return the verdict.

    Args:
        validation: audit of the deployed model on the validation set.
        test: audit of the deployed model on the test set.
        fair_enough: the limit of DEO_A.
        after: audit of the chosen candidate on the test set; None if none was chosen.
        gain: what it gains; None if none was chosen.
        searched: whether candidates were tried.
        promising: the candidate to name if none is proven to be better.
    """
    outcome, reason = _outcome(validation, test, fair_enough, gain, searched)
    is_open = outcome in ("unproven", "undecided")
    return Verdict(
        outcome=outcome,
        reason=reason,
        treatment=treatment(test, after),
        promising=promising if is_open else None,
        settling=_settling(validation, test, fair_enough, gain, reason) if is_open else None,
    )


def within(audited: AuditResult, limit: float) -> bool:
    """Return whether a gap is within a limit, with the audit's confidence (one-sided).

    A class that the model hardly ever predicts may hide a gap of up to 1.
    """
    hidden = len(audited.hardly_predicted) / len(audited.class_names)
    return not audited.collapsed and audited.deo_a.at_most + hidden <= limit


def beyond(audited: AuditResult, limit: float) -> bool:
    """Return whether a gap is beyond a limit, with the audit's confidence (one-sided)."""
    return audited.deo_a.at_least > limit


def is_real(audited: AuditResult, *, looks: int = 1) -> bool:
    """Return whether a gap is more than chance.

    Args:
        audited: the model on a set.
        looks: on how many sets one looks for a gap; the p-value is multiplied by it (Bonferroni).
    """
    gap = audited.deo_a
    return gap.low > 0 and (looks == 1 or looks * gap.p_value <= 1 - audited.confidence)


SETS = 2
"""On how many sets the verdict looks for a gap: validation and test."""


def _outcome(
    validation: AuditResult, test: AuditResult, limit: float, gain: Gain | None, searched: bool
) -> tuple[Outcome, Reason]:
    if gain is not None and gain.confirmed:
        return "use", "confirmed"
    if within(validation, limit) and not beyond(test, limit):
        return "fair", "within limit"
    if is_real(validation, looks=SETS) or is_real(test, looks=SETS):
        if gain is not None:
            return "unproven", "not confirmed"
        return "unproven", "none better" if searched else "not searched"
    return "undecided", "within chance"


def _settling(
    validation: AuditResult, test: AuditResult, limit: float, gain: Gain | None, reason: Reason
) -> Settling | None:
    """Return the images that an open verdict needs.

    For a gain that the test set does not confirm, the size to show is that of :func:`gain_to_show`. For a gap within
    chance it is the gap on the set that has fewer images.
    """
    if reason == "not confirmed" and gain is not None:
        return None if gain.to_show is None else settling_gain(test, gain.found, gain.to_show)
    if reason == "within chance":
        fewer = validation if validation.sizing.smallest_cell <= test.sizing.smallest_cell else test
        return settling_gap(fewer, limit, "validation" if fewer is validation else "test")
    return None
