"""Training the students of a fix; their test sets are not read."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from fairdistill.fixing.candidates import Candidate
from fairdistill.fixing.plan import Student, students
from fairdistill.fixing.work import Work
from fairdistill.predictions.trained_model import ModelSource, load_model, predictions_of
from fairdistill.runs import RunFolder
from fairdistill.system.clock import Clock
from fairdistill.training import TrainOptions, resume, train

_ALWAYS = 2  # students that are trained even if time has run out


def try_students(work: Work) -> tuple[list[Candidate], list[str]]:
    """Train students while there is time; return them as candidates, and notes about those that cannot be chosen."""
    found: list[Candidate] = []
    notes: list[str] = []
    untried: list[str] = []
    for number, student in enumerate(students(work.options.data)[: work.options.students]):
        wanted = _run_options(work, student)
        done = (Path(str(wanted.out)) / "model.safetensors").exists()
        if number >= _ALWAYS and not done and not work.clock.has_room():
            untried.append(student.name)
            continue
        each = _candidate(work, student, finished(wanted, clock=work.clock))
        found.append(each)
        if each.collapsed:
            notes.append(f"{student.name} predicts a single class, so it cannot be chosen")
    if untried:
        notes.append(f"Not tried because time ran out: {', '.join(untried)}")
    return found, notes


def finished(options: TrainOptions, *, clock: Clock) -> RunFolder:
    """Train a run, resume it, or take it as it is; its test set is not read."""
    path = Path(str(options.out))
    started = time.monotonic()
    if not (path / "config.yaml").exists():
        run = train(options, hold_test=True)
    else:
        run = RunFolder.open(path)
        if (path / "model.safetensors").exists():
            print(f"{path}: already trained", file=sys.stderr)
            return run
        run = resume(path, hold_test=True)
    clock.took(time.monotonic() - started)
    return run


def _candidate(work: Work, student: Student, run: RunFolder) -> Candidate:
    validation = work.samples.validation
    model = load_model(ModelSource(path=str(run.path), option="student"), validation, work.runtime)
    predicted = predictions_of(model, validation, where=str(run.path), runtime=work.runtime)
    return Candidate(student.name, student.description, predicted, run=run, settings=dict(student.settings))


def _run_options(work: Work, student: Student) -> TrainOptions:
    source = work.deployed.source
    recipe = work.deployed.model.recipe
    exported = Path(source.path).suffix == ".pt2"
    return replace(
        work.base, method=student.method, set=dict(student.settings), out=str(work.out / student.name),
        init="scratch" if exported else work.options.init,
        teacher=source.path, teacher_model=source.network if Path(source.path).is_file() and not exported else None,
        teacher_weights_key=source.weights_key, teacher_size=recipe.size,
        teacher_mean=",".join(map(repr, recipe.mean)), teacher_std=",".join(map(repr, recipe.std)),
        teacher_outputs=work.deployed.model.reading.outputs,
    )  # fmt: skip
