"""The students of a fix: where they start, and one of them trained up to a step, as a candidate."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

from fairdistill.choosing import Chooser, Condition, Measures, Rule
from fairdistill.errors import NonFiniteLossError
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.search.time_left import time_before_the_test
from fairdistill.fixing.students.runs import Limit, train_until
from fairdistill.fixing.students.steps import steps_per_epoch
from fairdistill.fixing.students.student import Student
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.work import Work
from fairdistill.models.files.kinds import is_program
from fairdistill.predictions.trained.model import load_model, predictions_of
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.training import TrainOptions, ema_decay


@dataclass(frozen=True)
class Start:
    """Where students start.

    Attributes:
        source: the model that teaches them, whose weights they start from: the deployed one, or that with a head.
        name: of that head; None for the deployed model.
    """

    source: ModelSource
    name: str | None


def start_of(search: Search) -> Start:
    """Return where students start, the same as in earlier calls of the fix.

    That is the best head that was fitted on training images, if it is better by the rule than the deployed model. A
    head that was fitted on validation images would make the students look better there than they are.
    """
    work = search.work
    recorded = folder.plan_of(work.out).get("start")
    if recorded is None:
        recorded = {"name": None, "file": None}
        best = search.first_of([search.best_on_train]) if work.can_continue else search.deployed
        if best is not search.deployed:
            file = search.write_head(best, work.out / "students" / "start")
            recorded = {"name": best.title, "file": str(file)}
        folder.update_plan(work.out, start=recorded)
    if recorded["file"] is None:
        return Start(work.deployed.source, None)
    return Start(replace(work.deployed.source, path=recorded["file"]), recorded["name"])


def train_student(search: Search, start: Start, student: Student, *, steps: int, until: int) -> Candidate | None:
    """Train a student up to a step and record it as a candidate.

    Args:
        search: what was found so far.
        start: where it starts.
        student: how it is trained.
        steps: that it would have if it stayed to the end; its learning rate decays over them.
        until: the step after which it pauses; it pauses earlier if time is up.

    Returns:
        None if it diverged, now or before.
    """
    work = search.work
    if until == 0:
        return None
    options = _options(search, start, student, steps=steps)
    began = work.clock.spent
    try:
        run = train_until(work.out, options, work.samples, until=until, limit=_limit(search, student))
    except NonFiniteLossError as error:
        search.notes.append(f"{student.name} diverged: {error}")
        return None
    reached = steps_of(work, student)
    if reached < until:
        search.notes.append(
            f"{student.name} was stopped after {reached:,} of {until:,} steps, which took longer than planned, since "
            "time was up. Its best weights so far were evaluated"
        )
    source = ModelSource(path=str(run.path), option="student")
    validation = work.samples.validation
    model = load_model(source, validation, work.runtime)
    started = time.perf_counter()
    predicted = predictions_of(model, validation, where=str(run.path), runtime=work.runtime)
    search.image_seconds = (time.perf_counter() - started) / len(validation)
    found = Candidate(
        name=student.name, family="student",
        description=student.description(from_trained=options.init == "teacher"), validation=predicted, source=source,
        run=run, configuration=student.configuration, seconds=work.clock.spent - began,
        settings={
            "method": student.method, "augment": options.augment, "lr": options.lr, "steps": reached, "of_steps": steps,
            "start": start.name,
        },
    )  # fmt: skip
    search.students[student.name] = None
    search.add(found)
    search.announce()
    return found


def steps_of(work: Work, student: Student) -> int:
    """Return the steps that a student has been trained for, also in earlier calls; 0 if it was not begun."""
    return folder.reached(work.out, f"students/{student.name}")


def _limit(search: Search, student: Student) -> Limit:
    """Return the time for a student: all that is left until the test set must be read."""
    work, pace = search.work, search.pace
    step = guessed_step(search) if pace is None else pace.step * student.cost
    part = 0.0 if pace is None else pace.part
    evaluation = len(work.samples.validation) * search.image_seconds
    return Limit(
        left=lambda: time_before_the_test(search) - evaluation - part, step_seconds=step, part=part,
        every=steps_per_epoch(len(work.samples.train), work.options.batch_size),
    )  # fmt: skip


def guessed_step(search: Search) -> float:
    """Return the seconds of a step before any was measured: a backward pass costs as much as two forward passes."""
    return 3 * search.image_seconds * search.work.options.batch_size


def _options(search: Search, start: Start, student: Student, *, steps: int) -> TrainOptions:
    work = search.work
    source, model = start.source, work.deployed.model
    exported = is_program(source.path)
    return replace(
        work.base, method=student.method, out=str(work.out / "students" / student.name),
        augment=student.augment or work.base.augment, epochs=None, steps=steps, schedule="cosine",
        lr=work.options.lr * student.rate, ema=ema_decay(steps),
        keep=fixed_rule(search.rule, search.deployed.measures),
        init="teacher" if work.can_continue else "scratch",
        teacher=source.path, teacher_model=source.network if Path(source.path).is_file() and not exported else None,
        teacher_weights_key=source.weights_key, teacher_size=model.recipe.size,
        teacher_mean=",".join(map(repr, model.recipe.mean)), teacher_std=",".join(map(repr, model.recipe.std)),
        teacher_input=None if model.own_rule else model.reading.rule, teacher_outputs=model.reading.outputs,
    )  # fmt: skip


def fixed_rule(rule: Chooser, deployed: Measures) -> str:
    """Return a rule for ``train --keep``: with the deployed model's values filled in; ``loss`` for a function.

    It is ``loss``, too, where a value is undefined.
    """
    if not isinstance(rule, Rule) or "calibration_error" in rule.metrics:  # not measured while training
        return "loss"
    limits = [each.limit(deployed) for each in rule.conditions]
    if any(math.isnan(limit) for limit in limits):
        return "loss"
    conditions = (
        Condition(each.metric, each.sign, min(1.0, max(0.0, limit)))
        for each, limit in zip(rule.conditions, limits, strict=True)
    )
    return str(Rule(rule.metric, tuple(conditions)))


def evaluations_seconds(search: Search, steps: int, epoch_steps: int) -> float:
    """Return roughly how long the evaluations of a run take."""
    return -(-steps // epoch_steps) * len(search.work.samples.validation) * search.image_seconds
