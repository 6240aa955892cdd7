"""What a fix works with: the rows, the deployed model, the folder, and the students it trains there."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fairdistill import data
from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.fixing import workspace as folder
from fairdistill.fixing.candidates import Candidate
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.plan import Student, affordable_epochs, students
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import run_predictions
from fairdistill.predictions.trained_model import DeployedModel, ModelSource, load_model, open_run, predictions_of
from fairdistill.reporting import ReportOptions, report
from fairdistill.runs import RunFolder
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import Runtime, choose_runtime
from fairdistill.training import TrainOptions, parted, resolve, resume, seconds_of, train


@dataclass(frozen=True)
class Work:
    """What a fix works with.

    Attributes:
        options: of the fix.
        source: where the deployed model is.
        base: options of every run.
        out: the folder.
        test: the test rows.
        validation: the validation rows.
        deployed: the deployed model.
        before: what it predicts of the validation rows.
        runtime: device and precision.
        clock: what is left of the budget.
        notes: what the reader should know of the rows.
    """

    options: FixOptions
    source: ModelSource
    base: TrainOptions
    out: Path
    validation: GroupedDataset
    test: GroupedDataset
    deployed: DeployedModel
    before: Predictions
    runtime: Runtime
    clock: Clock
    notes: tuple[str, ...]

    @classmethod
    def begin(cls, deployed: str | None, options: FixOptions, data_options: Mapping[str, Any]) -> Work:
        """Check everything, make the folder, and train the model if there is none."""
        clock = Clock(options.seconds)
        base = TrainOptions(
            data=options.data, data_root=options.data_root, data_options=dict(data_options), model=options.model,
            batch_size=options.batch_size, lr=options.lr, seed=options.seed, device=options.device,
            precision=options.precision, threads=options.threads,
        )  # fmt: skip
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        given = None if deployed is None else _source(deployed, options)
        run = None if given is None else open_run(given)
        resolved = resolve(base, run)
        parts = data.load_splits(options.data, root=options.data_root, **resolved.data_options)
        train_rows, validation, test = parted(parts, resolved, run)
        validation.require_cells("nothing can be chosen on it")
        test.require_cells("nothing can be confirmed on it")
        base = replace(base, data_options=dict(resolved.data_options), split_seed=resolved.split_seed)
        model, before = None, None
        if given is not None:
            model = load_model(given, train_rows)
            base = replace(base, model=options.model or model.name)
            before = _judged(model, validation, given.path, runtime)
        out = Path(options.out)
        identity = folder.identity(
            deployed, options, resolved,
            digests={
                "training set": train_rows.digest(), "validation set": validation.digest(), "test set": test.digest(),
                "model": None if model is None else model.digest,
            },
        )  # fmt: skip
        epochs = folder.former_epochs(out, identity)
        if epochs is None:
            epochs = affordable_epochs(
                seconds_of(replace(base, method="ss", epochs=1, out=str(out / "trial"))),
                budget=options.seconds, most=options.epochs, students=options.students, teacher=deployed is None,
            )  # fmt: skip
            folder.begin(out, identity, epochs=epochs)
        base = replace(base, epochs=epochs, cache_dir=str(out / ".teacher-cache"))
        notes = []
        if given is None or model is None or before is None:
            _finished(replace(base, method="scratch", out=str(out / "teacher")), clock=clock)
            given = _source(str(out / "teacher"), options)
            model = load_model(given, train_rows)
            before = _judged(model, validation, given.path, runtime)
        elif run is None and "val" not in parts:
            notes.append(
                "The validation rows were cut from the training rows. If the deployed model was trained on them, they "
                "flatter it, and the rule asks more of the others than it should"
            )
        notes += [
            f"{rows.num_unknown_groups:,} of {len(rows):,} rows of {rows.name} have no known group: they count for the "
            "accuracy and not for the gap"
            for rows in (validation, test)
            if rows.num_unknown_groups
        ]
        return cls(options, given, base, out, validation, test, model, before, runtime, clock, tuple(notes))

    def try_students(self) -> tuple[list[Candidate], list[str]]:
        """Train students while there is time; return them, and notes of those that are not among them."""
        found: list[Candidate] = []
        notes: list[str] = []
        untried: list[str] = []
        for number, student in enumerate(students(self.options.data)[: self.options.students]):
            wanted = self._wanted(student)
            done = (Path(str(wanted.out)) / "model.safetensors").exists()
            if number > 1 and not done and not self.clock.has_room():
                untried.append(student.name)
                continue
            run = _finished(wanted, clock=self.clock)
            model = load_model(ModelSource(path=str(run.path), option="student"), self.validation)
            predicted = predictions_of(model, self.validation, where=str(run.path), runtime=self.runtime)
            each = Candidate(student.name, student.said, predicted, run=run, settings=dict(student.settings))
            found.append(each)
            if each.collapsed:
                notes.append(f"{student.name} predicts one class alone, so it cannot be chosen")
        if untried:
            notes.append(f"Not tried for want of time: {', '.join(untried)}")
        return found, notes

    def on_test(self, chosen: Candidate) -> tuple[Predictions, Predictions | None]:
        """Read the test set; return what the deployed model and, unless that is kept, the chosen one predict there."""
        before = predictions_of(self.deployed, self.test, where=self.source.path, runtime=self.runtime)
        if chosen.run is not None:
            if not chosen.run.finished:
                resume(chosen.run.path, quiet=True)
            return before, run_predictions(RunFolder.open(chosen.run.path))
        return before, None if chosen.adjust is None else chosen.adjust(before)

    def report(self, chosen: RunFolder) -> None:
        """Write the page and the model card of the chosen student, beside the deployed model if that is a run."""
        path = Path(self.source.path)
        if path == self.out / "teacher" and not RunFolder.open(path).finished:
            resume(path, quiet=True)
        run = RunFolder.open(path) if path.is_dir() else None
        teachers = [path] if run is not None and run.config["data"] == self.base.data and run.finished else []
        page = ReportOptions(out=str(self.out / "report.html"), card=str(self.out / "model-card.md"))
        report([*teachers, chosen.path], page)

    def _wanted(self, student: Student) -> TrainOptions:
        source = self.source
        exported = Path(source.path).suffix == ".pt2"
        return replace(
            self.base, method=student.method, set=dict(student.settings), out=str(self.out / student.name),
            init="scratch" if exported else self.options.init,
            teacher=source.path, teacher_model=source.network if Path(source.path).is_file() and not exported else None,
            teacher_size=source.size, teacher_mean=source.mean, teacher_std=source.std,
        )  # fmt: skip


def _source(path: str, options: FixOptions) -> ModelSource:
    is_run = Path(path).is_dir()
    return ModelSource(
        path=path, network=None if is_run else options.model, size=options.model_size, mean=options.model_mean,
        std=options.model_std, option="model", network_option="--model",
    )  # fmt: skip


def _judged(model: DeployedModel, validation: GroupedDataset, where: str, runtime: Runtime) -> Predictions:
    """Return what the deployed model predicts of the validation rows.

    Raises:
        UsageError: if that is one class alone: its gap of 0 would say nothing.
    """
    found = predictions_of(model, validation, where=where, runtime=runtime)
    predicted = np.unique(found.predicted)
    if len(predicted) == 1:
        raise UsageError(
            f"{where} predicts {validation.class_names[int(predicted[0])]!r} for every row of {validation.name}, so "
            "its gap of 0 says nothing; check the size, mean and sd of its input (--model-size, --model-mean, "
            "--model-std)"
        )
    return found


def _finished(options: TrainOptions, *, clock: Clock) -> RunFolder:
    """Train a run, go on with it, or take it as it is; its test set is not read."""
    path = Path(str(options.out))
    started = time.monotonic()
    if not (path / "config.yaml").exists():
        run = train(options, hold_test=True)
    else:
        run = RunFolder.open(path)
        if not (path / "model.safetensors").exists():
            run = resume(path, hold_test=True)
        else:
            print(f"{path}: done before", file=sys.stderr)
            return run
    clock.took(time.monotonic() - started)
    return run
