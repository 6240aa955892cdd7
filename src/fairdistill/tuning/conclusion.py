"""The end of a search: one trial is chosen on validation data, and the test set is read for it, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fairdistill._version import __version__
from fairdistill.choosing import pareto_front
from fairdistill.errors import UsageError
from fairdistill.runs import RunFolder, finite_or_null, write_bytes, write_json, write_text
from fairdistill.training import Interrupted, Stopped, resume
from fairdistill.tuning import folder
from fairdistill.tuning.figure import draw
from fairdistill.tuning.plan import Plan
from fairdistill.tuning.result import Closed, ScoresOnTest, TeacherOnValidation, Trial, TuneResult
from fairdistill.tuning.text import markdown_page
from fairdistill.tuning.trials import finished_scores, finished_values, read_trials
from fairdistill.tuning.values import Values, kept, measured_on_test

if TYPE_CHECKING:
    from optuna import Study

_CLOSED, _TEST = "closed", "test"


def closed(plan: Plan, study: Study) -> Closed | None:
    """Return for which trial the test set was read, or was about to be; None if the study is open."""
    if _CLOSED in study.user_attrs:
        return Closed(**study.user_attrs[_CLOSED])
    # The storage may have been removed since.
    return TuneResult.read(plan.out).closed if (plan.out / "tune.json").exists() else None


def conclude(plan: Plan, study: Study, *, quiet: bool) -> TuneResult:
    """Choose a trial, read the test set for it unless --no-test defers that, and write everything.

    Raises:
        UsageError: if no trial finished or meets the rule, or the study is closed and the call asks for something else.
    """
    with folder.locked(plan.out):
        trials = read_trials(study)
        finished = finished_values(trials)
        before = closed(plan, study)
        if before is not None:
            _check_closed(plan, before, finished, len(trials))
            if (plan.out / "tune.json").exists():
                written = TuneResult.read(plan.out)
                if written.test is not None:
                    return written
        running = [each for each in trials if each.state == "in hand"]
        if not finished and not running:
            raise UsageError(_all_failed(trials))
        found = _result(plan, trials, None, notes=tuple(map(_still_running, running)))
        if finished:
            try:
                chosen = plan.rule.pick(finished, plan.validation.teacher_measures)
            except UsageError:
                _write(found)
                if not running:
                    raise
            else:
                found = _result(plan, trials, chosen, notes=found.notes)
        if not running:
            found = _tested(plan, study, found, before, quiet=quiet)
        _write(found)
        return found


def _check_closed(plan: Plan, before: Closed, finished: Mapping[int, Values], number: int) -> None:
    """Refuse any call that would amount to choosing on the test set: once it has been read, the choice stands."""
    why = f"the test set has been read for trial {before.trial} ({before.when}), so this study is closed"
    remedy = "start a new study with another --out"
    if plan.options.storage is not None:
        remedy += " and another --study"
    if plan.search.trials > max(before.trials, number):
        raise UsageError(f"{why} and stays at its {number} trials; {remedy}")
    try:
        picked: int | None = plan.rule.pick(finished, plan.validation.teacher_measures) if finished else before.trial
    except UsageError:  # no trial meets the rule
        picked = None
    if picked != before.trial:
        instead = "none of its trials" if picked is None else f"trial {picked}"
        raise UsageError(f"{why}: the rule {str(plan.rule)!r} would now choose {instead}; {remedy}")


def _tested(plan: Plan, study: Study, found: TuneResult, before: Closed | None, *, quiet: bool) -> TuneResult:
    """Return the result with the chosen trial's scores on the test set, if they are wanted and available here."""
    trial = found.chosen_trial
    if trial is None or not (plan.options.test or before is not None):
        note = "The test set has not been read (--no-test), so you can still run more trials or change the rule"
        return replace(found, notes=(*found.notes, note))
    if _TEST in study.user_attrs:
        return replace(found, test=ScoresOnTest.from_dict(study.user_attrs[_TEST]), closed=before)
    path = folder.trial_path(plan.out, trial.number)
    if not (path / "model.safetensors").exists():
        note = (
            f"The test set has not been read: the chosen run is {trial.folder} on {trial.host}. Run the same command "
            "there to read it"
        )
        return replace(found, notes=(*found.notes, note))
    if before is None:  # closed before it is read, so that a stop in between changes nothing
        when = datetime.now(UTC).isoformat(timespec="seconds")
        before = Closed(trial=trial.number, rule=str(plan.rule), trials=plan.search.trials, when=when)
        study.set_user_attr(_CLOSED, before.to_dict())
    test = _read_test(path, trial.number, plan.rule.metrics, quiet=quiet)
    study.set_user_attr(_TEST, finite_or_null(asdict(test)))
    return replace(found, test=test, closed=before)


def _read_test(path: Path, number: int, rule_metrics: Sequence[str], *, quiet: bool) -> ScoresOnTest:
    """Return what the run of the chosen trial scores on the test set."""
    if not RunFolder.open(path).finished:
        try:
            resume(path, quiet=quiet)
        except Interrupted as stop:
            raise Stopped(f"while reading the test set for trial {number}", stop) from None
    result = RunFolder.open(path).result
    measures = kept(measured_on_test(result), rule_metrics)
    return ScoresOnTest.from_dict({**result, "rows": result["test_rows"], "measures": measures})


def _result(plan: Plan, trials: tuple[Trial, ...], chosen: int | None, *, notes: tuple[str, ...]) -> TuneResult:
    teacher, measures = plan.validation.teacher, plan.validation.teacher_measures
    return TuneResult(
        version=__version__,
        study=plan.study,
        method=plan.training.method,
        data=plan.identity["data"],
        seed=plan.training.seed,
        search=plan.search.shown,
        sampler=plan.search.sampler,
        objectives=plan.objectives,
        rule=str(plan.rule),
        rule_in_words=plan.rule.in_words(plan.validation.teacher_measures),
        steps=plan.steps,
        early_stopping=plan.early_stopping,
        validation_rows=plan.validation.rows,
        teacher=None
        if teacher is None or measures is None
        else TeacherOnValidation(
            model=str(plan.training.teacher), validation=teacher, measures=kept(measures, plan.rule.metrics)
        ),
        trials=trials,
        front=tuple(pareto_front(finished_scores(trials), plan.objectives)),
        chosen=chosen,
        run=_run(plan.out, trials, chosen),
        test=None,
        closed=None,
        notes=notes,
        identity=plan.identity,
        made_with=plan.made_with,
        out=plan.out,
    )


def _run(out: Path, trials: Sequence[Trial], chosen: int | None) -> Path | None:
    """Return the run folder of the chosen trial: here, or on the machine that trained it."""
    if chosen is None:
        return None
    here = folder.trial_path(out, chosen)
    elsewhere = next(each.folder for each in trials if each.number == chosen)
    return here if here.exists() or elsewhere is None else Path(elsewhere)


def _still_running(trial: Trial) -> str:
    return (
        f"Trial {trial.number} is still running in {trial.folder} on {trial.host}. Once it is done, run the same "
        "command again to choose a trial"
    )


def _all_failed(trials: Sequence[Trial]) -> str:
    failed = [each for each in trials if each.error is not None]
    why = f" (trial {failed[0].number}: {failed[0].error})" if failed else ""
    return f"none of the {len(trials)} trials finished, so there is nothing to choose from{why}; increase --trials"


def _write(result: TuneResult) -> None:
    write_text(result.out / "front.md", markdown_page(result) + "\n")
    write_bytes(result.out / "front.svg", draw(result))
    write_json(result.out / "tune.json", result.to_dict())
