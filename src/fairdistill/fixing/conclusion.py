"""The end of a fix: the test set is read, once, and everything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from fairdistill._version import __version__
from fairdistill.auditing import AuditResult, audit, change_between
from fairdistill.auditing.outputs import order_note
from fairdistill.choosing import Chooser, measures_of_predictions, pareto_front, title
from fairdistill.fixing.confirmation import OnTestSet, predict_test_set
from fairdistill.fixing.recommendation.content import content_of
from fairdistill.fixing.recommendation.subject import Subject
from fairdistill.fixing.result import FixResult
from fairdistill.fixing.search.candidates import Candidate, Point
from fairdistill.fixing.search.decision import Decision
from fairdistill.fixing.text import render
from fairdistill.fixing.verdict.gain import changes_on_test, rule_value
from fairdistill.fixing.verdict.shortfalls import shortfalls
from fairdistill.fixing.verdict.verdict import verdict_of
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.readings import TestRead, record_reading
from fairdistill.fixing.work.work import Work
from fairdistill.posthoc import CORRECTION, StoredCorrection
from fairdistill.reporting.recommendation import CandidateResult, recommendation_card, recommendation_page
from fairdistill.runs import write_json, write_text
from fairdistill.text.progress import working
from fairdistill.training import describe_environment

_OBJECTIVES = ("balanced_accuracy", "deo_a")


def conclude(work: Work, validation: AuditResult, decision: Decision) -> FixResult:
    """Read the test set for the chosen candidate and the deployed model, and write the verdict.

    The reading is recorded before it happens, also if the deployed model is kept. ``fix.json`` is written last: where
    it exists, everything else does.
    """
    subject = Subject(
        out=work.out, options=work.options, deployed=work.deployed.source.path, data_options=work.base.data_options,
        notes=work.notes, made_with=_made_with(work),
    )  # fmt: skip
    return conclude_with(subject, validation, decision, lambda: predict_test_set(work, decision.chosen))


@working("testing the decision")
def conclude_with(
    subject: Subject, validation: AuditResult, decision: Decision, read_test: Callable[[], OnTestSet]
) -> FixResult:
    """Write the verdict of a fix, as :func:`conclude` does.

    Args:
        subject: what it is about.
        validation: audit of the deployed model on the validation set.
        decision: what was chosen there.
        read_test: returns the predictions on the test set; called once.
    """
    out, chosen, options = subject.out, decision.chosen, subject.options
    folder.forget_conclusion(out)
    earlier = record_reading(out, chosen.name, str(options.chooser), settings=chosen.settings)
    result = _result(subject, validation, decision, read_test(), earlier)
    content = content_of(result, subject)
    write_text(out / "report.html", recommendation_page(content))
    write_text(out / "model-card.md", recommendation_card(content))
    write_text(out / "recommendation.md", render(result) + "\n")
    if result.verdict == "use" and result.family == "correction":
        fitted = StoredCorrection.of_settings(result.settings or {}, validation.class_names, validation.group_names)
        write_json(out / CORRECTION, fitted.content())
    write_json(out / "fix.json", result.to_dict())
    return result


def _result(
    subject: Subject, validation: AuditResult, decision: Decision, test: OnTestSet, earlier: tuple[TestRead, ...]
) -> FixResult:
    chosen, rule = decision.chosen, subject.options.chooser
    before, after = audit(test.before), None if test.after is None else audit(test.after)
    kept = gain = worst = None
    missed: tuple[str, ...] = ()
    if test.after is not None:
        kept = change_between(test.before, test.after)
        own = decision.deployed.measures
        promised = rule_value(rule, chosen.measures, own) - rule_value(rule, own, own)
        gain, worst = changes_on_test(rule, test.before, test.after, kept, promised=promised)
        missed = shortfalls(rule, *map(measures_of_predictions, (test.after, test.before)))
    promising = chosen if test.after is not None else decision.promising
    verdict = verdict_of(
        validation, before, fair_enough=subject.options.fair_enough, after=after, gain=gain,
        searched=decision.searched.ended != "fair", promising=None if promising is None else promising.name,
    )  # fmt: skip
    front = _front(decision.points, group_at_use=subject.options.group_at_use)
    ranks = _ranks(decision, rule)
    return FixResult(
        verdict=verdict.outcome,
        reason=verdict.reason,
        treatment=verdict.treatment,
        promising=verdict.promising,
        settling=verdict.settling,
        version=__version__,
        deployed=subject.deployed,
        data=subject.options.data,
        rule=str(rule),
        metric="the value of the rule" if rule.metric is None else title(rule.metric),
        chosen=chosen.name,
        family=chosen.family,
        description=chosen.description,
        breaks_rule=shortfalls(rule, chosen.measures, decision.deployed.measures),
        breaks_rule_on_test=missed,
        fair_enough=subject.options.fair_enough,
        needs_group=chosen.needs_group,
        group_at_use=subject.options.group_at_use,
        settings=chosen.settings,
        use=chosen.use,
        model=None if chosen.file is None else str(chosen.file),
        layer=test.layer,
        searched=decision.searched,
        candidates=tuple(
            _candidate(subject, decision, each, rank=ranks[id(each)], front=front) for each in decision.candidates
        ),
        points=tuple(
            replace(each, on_front=number in front, chosen=_is(each, chosen))
            for number, each in enumerate(decision.points)
        ),
        validation=validation,
        notes=tuple(dict.fromkeys((*subject.notes, *order_note(test.before), *decision.notes))),
        test_read_before=earlier,
        test_before=before,
        test_after=after,
        kept=kept,
        kept_worst_subgroup=worst,
        gain=gain,
        confirmed=None if gain is None else gain.confirmed,
    )  # fmt: skip


def _candidate(
    subject: Subject, decision: Decision, candidate: Candidate, *, rank: int, front: Collection[int]
) -> CandidateResult:
    measures = candidate.measures
    return CandidateResult(
        name=candidate.name,
        family=candidate.family,
        description=candidate.description,
        rank=rank,
        needs_group=candidate.needs_group,
        accuracy=measures["accuracy"],
        balanced_accuracy=measures["balanced_accuracy"],
        deo_a=measures["deo_a"],
        deo_m=measures["deo_m"],
        worst_subgroup=measures["worst_subgroup"],
        breaks_rule=shortfalls(subject.options.chooser, measures, decision.deployed.measures),
        on_front=any(_is(decision.points[number], candidate) for number in front),
        seconds=candidate.seconds,
        file=None if candidate.file is None else str(candidate.file),
    )


def _ranks(decision: Decision, rule: Chooser) -> dict[int, int]:
    """Return the place of each candidate by the rule, from 1, by its ``id``."""
    own = decision.deployed.measures
    ranked = sorted(decision.candidates, key=lambda each: rule.standing(each.measures, own))
    return {id(each): place for place, each in enumerate(ranked, start=1)}


def _front(points: Sequence[Point], *, group_at_use: bool) -> frozenset[int]:
    """Return the numbers of the points that may be used and that no other beats in balanced accuracy and DEO_A."""
    usable = {
        number: {name: getattr(each, name) for name in _OBJECTIVES}
        for number, each in enumerate(points)
        if group_at_use or not each.needs_group
    }
    return frozenset(pareto_front(usable, _OBJECTIVES))


def _is(point: Point, candidate: Candidate) -> bool:
    """Return whether a point is a candidate's."""
    return (point.family, point.name, point.settings) == (candidate.family, candidate.name, candidate.settings)


def _made_with(work: Work) -> str:
    found = describe_environment(work.runtime, seed=work.options.seed)
    return f"fairdistill {__version__}, torch {found.packages['torch']}, {found.processor}, {found.device}"
