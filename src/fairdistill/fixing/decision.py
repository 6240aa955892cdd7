"""The choice of a candidate, based only on the validation set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.auditing import AuditResult, ModelChange, change_between
from fairdistill.fixing.candidates import Candidate
from fairdistill.fixing.corrections import corrections
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.result import Dropped, WhyKept, in_metric
from fairdistill.fixing.students import try_students
from fairdistill.fixing.work import Work
from fairdistill.metrics import higher_is_better


@dataclass(frozen=True)
class Decision:
    """The outcome on the validation set.

    Attributes:
        candidates: all of them, the deployed model first.
        chosen: one of them.
        notes: what a reader should know about the search.
        why_kept: why the deployed model is kept, None if it is not.
        promised: the change that the chosen one brings, unless it is the deployed model.
        dropped: the candidate that the rule picks, if its gain is not significant.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    notes: tuple[str, ...] = ()
    why_kept: WhyKept | None = None
    promised: ModelChange | None = None
    dropped: Dropped | None = None


def decide(work: Work, validation: AuditResult) -> Decision:
    """Try candidates unless the deployed model's gap makes that pointless, and choose one.

    Args:
        work: the working data of the fix.
        validation: audit of the deployed model on the validation set.

    Raises:
        UsageError: if no candidate satisfies the rule.
    """
    options = work.options
    keep = Candidate("keep", "your model as it is", work.deployed.validation)
    gap = validation.deo_a
    if gap.high <= options.fair_enough:
        return Decision((keep,), keep, why_kept="fair")
    if gap.low == 0 and not options.anyway:
        return Decision((keep,), keep, why_kept="undecided")
    corrected, skipped = corrections(keep.validation)
    trained, untried = try_students(work)
    candidates, notes = (keep, *corrected, *trained), (*skipped, *untried)
    picked = _picked(candidates, options)
    if picked is keep:
        return Decision(candidates, keep, notes, why_kept="best")
    change = change_between(keep.validation, picked.validation)
    if gains(change, options.parsed_rule.metric):
        return Decision(candidates, picked, notes, promised=change)
    dropped = Dropped(name=picked.name, description=picked.description, change=change)
    return Decision(candidates, keep, notes, why_kept="no gain", dropped=dropped)


def gains(change: ModelChange, metric: str) -> bool:
    """Return whether a change is a significant improvement in the metric that the rule optimizes."""
    found = in_metric(change, metric)
    return found.low > 0 if higher_is_better(metric) else found.high < 0


def _picked(candidates: Sequence[Candidate], options: FixOptions) -> Candidate:
    usable = [each for each in candidates if not each.collapsed and (options.group_at_use or not each.needs_group)]
    picked = options.parsed_rule.pick(
        {number: each.scores for number, each in enumerate(usable)},
        usable[0].scores,
        {number: each.name for number, each in enumerate(usable)},
    )
    return usable[picked]
