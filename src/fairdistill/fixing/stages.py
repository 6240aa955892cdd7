"""The search: last layers, corrections and students, one after another, until everything is tried or time is up."""

from __future__ import annotations

import signal

from fairdistill.auditing import AuditResult
from fairdistill.fixing.last_layer.heads import try_heads
from fairdistill.fixing.last_layer.student_heads import refit_last_layer
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.corrections import corrections
from fairdistill.fixing.search.decision import Decision, Ended, Searched
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.students.halving import train_students
from fairdistill.fixing.students.network_lines import try_line
from fairdistill.fixing.verdict.verdict import is_real, within
from fairdistill.fixing.work.work import Work
from fairdistill.predictions.trained.repaired import repair_notes
from fairdistill.runs import RunFolder
from fairdistill.system.signals import signal_of
from fairdistill.training import Interrupted

_STOPPED = "The search was stopped by Ctrl-C. The same command continues it"
_NO_STUDENTS = (
    "No network was trained, since your model's gap on the validation set is within what chance alone would produce, "
    "so a gain could not be shown there. --anyway trains some all the same"
)


def search_for_fairer(work: Work, validation: AuditResult, *, audit_seconds: float = 0.0) -> Decision:
    """Search unless the deployed model is fair enough, and choose by the rule on the validation set.

    Ctrl-C ends the search; what was found so far counts.

    Args:
        work: the working data of the fix.
        validation: audit of the deployed model on the validation set.
        audit_seconds: how long it took.

    Raises:
        Interrupted: after SIGTERM or SIGHUP, or Ctrl-C before anything was tried.
    """
    search = Search(work, Candidate.of_deployed(work.deployed.validation))
    search.audit_seconds = audit_seconds
    if within(validation, work.options.fair_enough):
        return _decided(search, "fair", within_chance=False)
    within_chance = not is_real(validation)
    try:
        ended = _search(search, within_chance=within_chance)
    except KeyboardInterrupt as stop:
        ended = _interrupted(search, Interrupted("stopped", RunFolder(search.work.out), signal_number=signal_of(stop)))
    except Interrupted as stop:
        ended = _interrupted(search, stop)
    return _decided(search, ended, within_chance=within_chance)


def _search(search: Search, *, within_chance: bool) -> Ended:
    options = search.work.options
    without_students: Ended = "complete" if try_heads(search) else "budget"
    corrected, skipped = corrections(search.deployed.validation)
    search.notes += skipped
    for each in corrected:
        search.add(each)
    search.announce()
    if options.students == 0:
        return without_students
    if within_chance and not options.anyway:
        search.notes.append(_NO_STUDENTS)
        return without_students
    ended = train_students(search)
    students = search.of("student")
    if students:
        best = min(students, key=search.standing)
        refit_last_layer(search, best)
        if search.work.can_continue:
            try_line(search, best)
    return ended


def _interrupted(search: Search, stop: Interrupted) -> Ended:
    """Return that Ctrl-C ended the search, if there is anything to conclude from."""
    if stop.signal_number != signal.SIGINT or len(search.points) == 1:
        raise stop
    search.notes.append(_STOPPED)
    return "interrupted"


def _decided(search: Search, ended: Ended, *, within_chance: bool) -> Decision:
    promising = search.promising
    chosen = search.with_file(search.best)
    if promising is not None:
        promising = search.with_file(promising)
    if ended != "fair":
        search.notes += search.slack_notes()
    if chosen.head is not None and search.layer is not None:
        search.notes += repair_notes(search.work.deployed.source, search.layer)
    searched = Searched(
        ended=ended,
        heads=search.heads,
        students=len(search.students),
        first_seconds=search.first_seconds,
        seconds=search.work.clock.spent,
        within_chance=within_chance,
    )
    return search.decision(chosen, promising, searched)
