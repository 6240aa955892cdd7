"""The training part of a search: a short student first, then successive halving until the budget is spent."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, replace

from fairdistill.data.recipe import Augmentation
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.decision import Ended
from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.search.time_left import time_for_students
from fairdistill.fixing.students.memorizing import wants_changed_images
from fairdistill.fixing.students.rounds import Round, plan_round
from fairdistill.fixing.students.steps import short_steps, steps_per_epoch
from fairdistill.fixing.students.student import Student, configurations
from fairdistill.fixing.students.training import (
    Start,
    evaluations_seconds,
    guessed_step,
    start_of,
    steps_of,
    train_student,
)
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.work import Work
from fairdistill.text.durations import format_seconds

_SHORT = "ss-short"  # trained first, for a quick second answer
_LONGER = 1.25  # a further round is worth its time if its students get at least this many times the steps


def train_students(search: Search) -> Ended:
    """Train students until everything that is planned is done or the budget is spent; return which."""
    work = search.work
    epoch = steps_per_epoch(len(work.samples.train), work.options.batch_size)
    start = start_of(search)
    planned_students = configurations(from_trained=work.can_continue, changed_images=wants_changed_images(search))
    search.pace = _short_student(search, start, epoch, augment=planned_students[0].augment)
    if search.pace is None:
        return "budget"
    students = planned_students[: work.options.students]
    known = {each.configuration: each for each in students}
    most = work.options.epochs * epoch
    for number in itertools.count():
        rounds = [Round.from_dict(each) for each in folder.plan_of(work.out).get("rounds", [])]
        if number == len(rounds):
            planned = plan_round(time_for_students(search), search.pace, students, epoch_steps=epoch, most=most)
            if planned is None:
                return "budget"
            if rounds and planned.steps < _LONGER * rounds[-1].steps:
                return "complete" if rounds[-1].steps >= 0.9 * most else "budget"
            _record(work, number, planned)
        if not _compete(search, start, number, known):
            return "budget"
        students = [known[name] for name in _ranked(search, list(known))]
    raise AssertionError("a round is the last")


def _short_student(search: Search, start: Start, epoch: int, *, augment: Augmentation | None) -> Pace | None:
    """Train ``ss`` for about two epochs, for a second answer; return the pace, None if there was no time for it."""
    work = search.work
    plan = folder.plan_of(work.out)
    steps = plan.get("short_steps")
    if steps is None:
        guess = guessed_step(search)
        most = work.options.epochs * epoch
        steps = short_steps(time_for_students(search), guess, epoch_steps=epoch, most=most)
        if not steps:
            search.notes.append(
                f"No student was trained: a pass over the training images takes about {format_seconds(guess * epoch)}, "
                f"too long for the {format_seconds(max(0.0, time_for_students(search)))} left"
            )
            return None
        folder.update_plan(work.out, short_steps=steps)
    began = time.monotonic()
    short = Student(_SHORT, "ss", augment=augment)
    found = train_student(search, start, short, steps=steps, until=steps)
    if "pace" in plan:  # of an earlier call, when the machine may have been busier or freer
        return Pace(**plan["pace"]).corrected(
            seconds=search.image_seconds, expected=plan.get("image_seconds", search.image_seconds)
        )
    done = steps_of(work, short) or steps  # it may have diverged
    training = done * guessed_step(search)
    if found is not None and found.run is not None:
        training = sum(row["seconds"] for row in found.run.read_log()) or training
    pace = Pace.measured(
        wall=time.monotonic() - began, steps=done, training=training,
        evaluation=evaluations_seconds(search, done, epoch),
    )  # fmt: skip
    _record_pace(search, pace)
    return pace


def _train(search: Search, start: Start, student: Student, *, steps: int, until: int) -> Candidate | None:
    """Train a student up to a step, and correct the pace if the machine has become busier or freer."""
    assert search.pace is not None, "the short student was trained before"
    before, began = steps_of(search.work, student), time.monotonic()
    found = train_student(search, start, student, steps=steps, until=until)
    more = steps_of(search.work, student) - before
    if found is not None and more > 0:
        expected = search.pace.expected(more, student.cost)
        search.pace = search.pace.corrected(seconds=time.monotonic() - began, expected=expected)
        _record_pace(search, search.pace)
    return found


def _record_pace(search: Search, pace: Pace) -> None:
    folder.update_plan(search.work.out, pace=asdict(pace), image_seconds=search.image_seconds)


def _compete(search: Search, start: Start, number: int, students: Mapping[str, Student]) -> bool:
    """Let the students of a round compete; return whether it came to its end within the budget.

    Those that were trained in an earlier call are candidates as they were left, whatever becomes of this one.
    """
    work = search.work
    planned = Round.from_dict(folder.plan_of(work.out)["rounds"][number])
    running = {name: replace(each, round=number) for name, each in students.items() if name in planned.students}
    left = {
        name: train_student(search, start, each, steps=planned.steps, until=steps_of(work, each))
        for name, each in running.items()
    }
    while not planned.done:
        rung = len(planned.passed)
        until, before = planned.rungs[rung], planned.rungs[rung - 1] if rung else 0
        found: dict[str, Candidate] = {}
        for name in planned.standing:
            here = _affordable(search, running[name], before=before, until=until)
            if here is None:
                return False
            trained = left.pop(name, None) if steps_of(work, running[name]) >= until else None
            trained = trained or _train(search, start, running[name], steps=planned.steps, until=here)
            if trained is not None:
                found[name] = trained
            if here < until or (trained is not None and steps_of(work, running[name]) < until):
                return False
        planned = planned.after(sorted(found, key=lambda name: search.standing(found[name])))
        _record(work, number, planned)
    return True


def _ranked(search: Search, known: list[str]) -> list[str]:
    """Return configurations, those that did best in any round first, then those that were not trained yet."""
    best: dict[str, tuple[float, ...]] = {}
    for each in search.of("student"):
        name = each.configuration
        if name in known:
            best[name] = min(best.get(name, (math.inf,)), search.standing(each))
    return sorted(best, key=lambda name: best[name]) + [name for name in known if name not in best]


def _record(work: Work, number: int, planned: Round) -> None:
    rounds = folder.plan_of(work.out).get("rounds", [])
    folder.update_plan(work.out, rounds=[*rounds[:number], asdict(planned)])


def _affordable(search: Search, student: Student, *, before: int, until: int) -> int | None:
    """Return the step up to which a student can be trained in the time left; None if that is not worth starting."""
    done, pace = steps_of(search.work, student), search.pace
    assert pace is not None, "the short student was trained before"
    if done >= until:
        return until
    steps = int((time_for_students(search) - pace.part) / (pace.step * student.cost))
    if done + steps >= until:
        return until
    # A student that cannot get far beyond the last comparison says nothing new.
    return done + steps if steps > 0.25 * (until - before) else None
