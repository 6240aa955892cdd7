"""The end of a search: one trial is chosen on validation data, and the test set is read for it, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairdistill._version import __version__
from fairdistill.choosing import Values, pareto_front
from fairdistill.errors import UsageError
from fairdistill.metrics.names import METRICS
from fairdistill.runs import RunFolder, read_json, write_bytes, write_json, write_text
from fairdistill.training import Interrupted, resume
from fairdistill.tuning import folder
from fairdistill.tuning import text as tables
from fairdistill.tuning.figure import draw
from fairdistill.tuning.plan import Plan
from fairdistill.tuning.stopped import Stopped
from fairdistill.tuning.trials import Trial, read_trials

if TYPE_CHECKING:
    from optuna import Study

_CLOSED, _TEST = "closed", "test"


@dataclass(frozen=True)
class TuneResult:
    """What a search has found.

    Attributes:
        out: the study's folder.
        record: what ``tune.json`` holds; fractions.
    """

    out: Path
    record: Mapping[str, Any]

    @property
    def chosen(self) -> int | None:
        """The number of the chosen trial; None as long as trials are in hand and none keeps the rule."""
        number: int | None = self.record["chosen"]
        return number

    @property
    def run(self) -> Path | None:
        """The run folder of the chosen trial, on the machine that trained it."""
        return None if self.record["run"] is None else Path(self.record["run"])

    @property
    def front(self) -> tuple[int, ...]:
        """The numbers of the trials that no other beats."""
        return tuple(self.record["front"])

    @property
    def validation(self) -> Values | None:
        """What the chosen trial does on the validation rows."""
        return next((each["validation"] for each in self.record["trials"] if each["number"] == self.chosen), None)

    @property
    def test(self) -> Values | None:
        """What it does on the test set; None if that was not read."""
        return None if self.record["test"] is None else {name: self.record["test"][name] for name in METRICS}


def closed(plan: Plan, study: Study) -> Mapping[str, Any] | None:
    """Return for which trial the test set was read, or began to be; None if the study is open."""
    found: Mapping[str, Any] | None = study.user_attrs.get(_CLOSED)
    path = plan.out / "tune.json"
    if found is None and path.exists():  # its storage may have been removed since
        found = read_json(path).get(_CLOSED)
    return found


def conclude(plan: Plan, study: Study, *, quiet: bool) -> TuneResult:
    """Choose a trial, read the test set for it unless that is not wanted yet, and write everything.

    Raises:
        UsageError: if no trial is finished or keeps the rule, or the study is closed and something else is asked of it.
    """
    with folder.locked(plan.out):
        trials = read_trials(study)
        finished = {
            each.number: each.validation for each in trials if each.state == "finished" and each.validation is not None
        }
        before = closed(plan, study)
        if before is not None:
            _check_closed(plan, before, finished, len(trials))
            if (plan.out / "tune.json").exists():
                record = read_json(plan.out / "tune.json")
                if record["test"] is not None:
                    return TuneResult(plan.out, record)
        in_hand = [each for each in trials if each.state == "in hand"]
        if not finished and not in_hand:
            raise UsageError(_all_failed(trials))
        chosen: int | None = None
        try:
            chosen = plan.rule.pick(finished, plan.teacher) if finished else None
        except UsageError:
            _write(plan, _record(plan, trials, None, notes=_in_hand(in_hand)))
            if not in_hand:
                raise
        notes = _in_hand(in_hand)
        record = _record(plan, trials, chosen, notes=notes)
        if chosen is not None and not in_hand and (plan.tune.test or before is not None):
            record |= _on_test(plan, study, chosen, record, quiet=quiet)
        elif not in_hand:
            notes.append("The test set is unread (--no-test): the search may go on, and the rule may be another")
        _write(plan, record)
        return TuneResult(plan.out, record)


def _check_closed(plan: Plan, before: Mapping[str, Any], finished: Mapping[int, Values], number: int) -> None:
    """Refuse what a study may no longer be asked: once the test set is read, choosing again would be choosing on it."""
    why = f"the test set has been read for trial {before['trial']} ({before['when']}), so this study is closed"
    remedy = "begin a new study in another --out"
    if plan.storage is not None:
        remedy += " with another --study"
    if plan.trials > max(before["trials"], number):
        raise UsageError(f"{why}: no more than its {number} trials can be had; {remedy}")
    try:
        picked: int | None = plan.rule.pick(finished, plan.teacher) if finished else before["trial"]
    except UsageError:  # none keeps it
        picked = None
    if picked != before["trial"]:
        instead = "none of its trials" if picked is None else f"trial {picked}"
        raise UsageError(f"{why}: the rule {str(plan.rule)!r} would choose {instead} now; {remedy}")


def _on_test(plan: Plan, study: Study, chosen: int, record: Mapping[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Read the test set for the chosen trial; the study is closed before, so that a stop in between changes nothing."""
    path = folder.trial_path(plan.out, chosen)
    read: dict[str, Any] | None = study.user_attrs.get(_TEST)
    said = study.user_attrs.get(_CLOSED)
    if read is None:
        if not (path / "model.safetensors").exists():
            own = next(each for each in record["trials"] if each["number"] == chosen)
            where = f"{own['folder']} on {own['host']}"
            return {"notes": [*record["notes"], f"The test set is unread: the chosen run is {where}; the same command "
                              "there reads it"]}  # fmt: skip
        if said is None:
            said = {
                "trial": chosen,
                "rule": str(plan.rule),
                "trials": plan.trials,
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            study.set_user_attr(_CLOSED, said)
        if not RunFolder.open(path).finished:
            try:
                resume(path, quiet=quiet)
            except Interrupted as stop:
                raise Stopped(f"while the test set was read for trial {chosen}", stop) from None
        result = RunFolder.open(path).result
        read = {**{name: result[name] for name in METRICS}, "rows": result["test_rows"], "teacher": None}
        if result["teacher"] is not None:
            read["teacher"] = {name: result["teacher"][name] for name in METRICS}
        study.set_user_attr(_TEST, read)
    return {"test": read, "closed": said}


def _record(plan: Plan, trials: Sequence[Trial], chosen: int | None, *, notes: list[str]) -> dict[str, Any]:
    finished = {each.number: each.validation for each in trials if each.state == "finished" and each.validation}
    folders = {each.number: each.folder for each in trials}
    here = None if chosen is None else folder.trial_path(plan.out, chosen)
    return {
        "fairdistill": __version__,
        "study": plan.study,
        "method": plan.options.method,
        "data": plan.identity["data"],
        "seed": plan.options.seed,
        "search": {name: str(dimension) for name, dimension in plan.space.items()},
        "sampler": plan.sampler,
        "objectives": list(plan.objectives),
        "rule": str(plan.rule),
        "rule_in_words": plan.rule.in_words(plan.teacher),
        "steps": plan.steps,
        "early_stopping": plan.early_stopping,
        "validation_rows": plan.rows,
        "teacher": None if plan.teacher is None else {"model": plan.options.teacher, "validation": plan.teacher},
        "trials": [each.record for each in trials],
        "front": pareto_front(finished, plan.objectives),
        "chosen": chosen,
        "run": str(here) if here is not None and here.exists() else folders.get(-1 if chosen is None else chosen),
        "test": None,
        "closed": None,
        "notes": notes,
        "identity": plan.identity,
        "environment": plan.environment,
    }


def _in_hand(trials: Sequence[Trial]) -> list[str]:
    return [
        f"Trial {each.number} is still in hand, in {each.folder} on {each.host}; the same command chooses when it is "
        "done"
        for each in trials
    ]


def _all_failed(trials: Sequence[Trial]) -> str:
    failed = [each for each in trials if each.error is not None]
    why = f"; trial {failed[0].number}: {failed[0].error}" if failed else ""
    return f"none of the {len(trials)} trials is finished, so there is nothing to choose from{why}; give more --trials"


def _write(plan: Plan, record: Mapping[str, Any]) -> None:
    write_text(plan.out / "front.md", tables.markdown_page(record) + "\n")
    write_bytes(plan.out / "front.svg", draw(record))
    write_json(plan.out / "tune.json", record)
