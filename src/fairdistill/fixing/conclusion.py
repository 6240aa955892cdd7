"""The end of a fix: the test set is read, once, and everything is written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from fairdistill._version import __version__
from fairdistill.auditing import AuditResult, audit, change_between
from fairdistill.auditing.outputs import order_note
from fairdistill.fixing import folder
from fairdistill.fixing.candidates import Candidate
from fairdistill.fixing.decision import Decision, gains
from fairdistill.fixing.result import CandidateResult, FixResult
from fairdistill.fixing.text import render
from fairdistill.fixing.work import Work
from fairdistill.predictions import Predictions, run_predictions
from fairdistill.predictions.trained_model import predictions_of
from fairdistill.reporting import report
from fairdistill.runs import RunFolder, write_json, write_text
from fairdistill.training import resume


def conclude(work: Work, validation: AuditResult, decision: Decision) -> FixResult:
    """Read the test set for the chosen candidate and the deployed model, and write everything."""
    folder.forget_conclusion(work.out)
    chosen, keep, rule = decision.chosen, decision.candidates[0], work.options.parsed_rule
    earlier = () if chosen is keep else folder.read_test(work.out, chosen.name, str(rule))
    before, after = _on_test(work, chosen)
    change = None if after is None else change_between(before, after)
    result = FixResult(
        promised=decision.promised,
        dropped=decision.dropped,
        version=__version__,
        deployed=work.deployed.source.path,
        rule=str(rule),
        metric=rule.metric,
        chosen=chosen.name,
        description=chosen.description,
        why_kept=decision.why_kept,
        breaks_rule=tuple(rule.missed(chosen.scores, keep.scores)),
        fair_enough=work.options.fair_enough,
        needs_group=chosen.needs_group,
        settings=chosen.settings,
        use=chosen.use,
        model=None if chosen.run is None else str(chosen.run.path / "model.safetensors"),
        epochs=work.epochs,
        candidates=tuple(
            CandidateResult(
                name=each.name,
                description=each.description,
                needs_group=each.needs_group,
                **asdict(each.scores),
                breaks_rule=tuple(rule.missed(each.scores, keep.scores)),
            )
            for each in decision.candidates
        ),
        validation=validation,
        notes=(*work.notes, *order_note(before), *decision.notes),
        test_read_before=earlier,
        test_before=audit(before),
        test_after=None if after is None else audit(after),
        kept=change,
        confirmed=None if change is None else gains(change, rule.metric),
    )
    if chosen.run is not None:
        _report(work, chosen.run)
    write_json(work.out / "fix.json", result.to_dict())
    write_text(work.out / "recommendation.md", render(result) + "\n")
    return result


def _on_test(work: Work, chosen: Candidate) -> tuple[Predictions, Predictions | None]:
    """Return the test predictions of the deployed model and, unless that is kept, of the chosen candidate."""
    deployed = work.deployed
    before = predictions_of(deployed.model, work.samples.test, where=deployed.source.path, runtime=work.runtime)
    if chosen.run is not None:
        if not chosen.run.finished:
            resume(chosen.run.path, quiet=True)
        return before, run_predictions(RunFolder.open(chosen.run.path))
    return before, None if chosen.adjust is None else chosen.adjust(before)


def _report(work: Work, chosen: RunFolder) -> None:
    """Write the page and the model card of the chosen student, beside the deployed model if that is a run."""
    path = Path(work.deployed.source.path)
    if path == work.out / "teacher" and not RunFolder.open(path).finished:
        resume(path, quiet=True)
    run = RunFolder.open(path) if path.is_dir() else None
    teachers = [path] if run is not None and run.config["data"] == work.base.data and run.finished else []
    report([*teachers, chosen.path], out=str(work.out / "report.html"), card=str(work.out / "model-card.md"))
