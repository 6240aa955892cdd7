"""From a deployed model and data to one recommendation.

The order is that of an honest experiment: the deployed model is audited on validation rows; students and corrections
are tried and compared there; one is chosen by a rule stated beforehand; then the test set is read, once, for it and for
the deployed model.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairdistill import data
from fairdistill._version import __version__
from fairdistill.auditing import AuditOptions, audit, described
from fairdistill.clock import Clock
from fairdistill.data.dataset import GroupedDataset
from fairdistill.deployed import DeployedModel, ModelSource, load_model, open_run, predictions_of
from fairdistill.errors import DataError, UsageError
from fairdistill.fixing import folder
from fairdistill.fixing.candidates import Candidate, posthoc_candidates, values_of
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.plan import Student, affordable_epochs, students
from fairdistill.fixing.words import recommendation
from fairdistill.metrics.paired import paired_test
from fairdistill.predictions import Predictions, paired, run_predictions
from fairdistill.report import ReportOptions, report
from fairdistill.runs import RunFolder, write_json, write_text
from fairdistill.runtime import Runtime, choose_runtime
from fairdistill.training import TrainOptions, resume, train
from fairdistill.training.estimate import seconds_of
from fairdistill.training.resolving import resolve
from fairdistill.training.rows import parted
from fairdistill.world import launched_together

_AUDIT = AuditOptions()


def fix(deployed: str | None, options: FixOptions, data_options: Mapping[str, Any]) -> dict[str, Any]:
    """Look for a fairer model than the deployed one, and say what to do.

    Args:
        deployed: a run folder, a file of weights or an exported program; None to train a model first.
        options: see :class:`FixOptions`.
        data_options: the data set's own options.

    Returns:
        What ``fix.json`` holds.

    Raises:
        UsageError: for options or models that do not fit, a budget too short, or a rule that nothing keeps.
        DataError: for data that cannot be used, or validation rows that lack a cell.
        RunFolderError: if the folder holds something else.
    """
    if launched_together() > 1:
        raise UsageError("fix runs in one process; start it without torchrun")
    work = _Work.begin(deployed, options, data_options)
    before = work.predictions(work.deployed, work.validation)
    on_validation = audit(before, _AUDIT)
    keep = Candidate("keep", "the deployed model as it is", before)
    gap = on_validation["metrics"]["deo_a"]
    candidates, notes = [keep], list(work.notes)
    why = None
    if gap["high"] <= options.fair_enough:
        why = "fair"
    elif gap["low"] == 0 and not options.anyway:
        why = "undecided"
    else:
        corrected, skipped = posthoc_candidates(before)
        candidates += corrected
        trained, untried = work.try_students()
        candidates += trained
        notes += [*skipped, *untried]
    chosen, change = keep, None
    if why is None:
        chosen = _choose(candidates, options)
        if chosen is not keep:
            change = _change(before, chosen.validation)
            if not change["deo_a"]["high"] < 0:
                why, chosen, change = "no gain", keep, None
        else:
            why = "best"
    return work.conclude(chosen, candidates, why, on_validation, change, notes)


def _choose(candidates: list[Candidate], options: FixOptions) -> Candidate:
    usable = [each for each in candidates if options.group_at_use or not each.needs_group]
    picked = options.parsed_rule.pick(
        {number: each.values for number, each in enumerate(usable)},
        usable[0].values,
        {number: each.name for number, each in enumerate(usable)},
    )
    return usable[picked]


def _change(before: Predictions, after: Predictions) -> dict[str, Any]:
    """Return what a candidate changes, with intervals and by cell."""
    first, second = paired(before, after)
    found = paired_test(first.correct, second.correct, **second.sample, **_AUDIT.drawing)
    return described(found, second.class_names, second.group_names)


@dataclass(frozen=True)
class _Work:
    """What a fix works with."""

    options: FixOptions
    source: ModelSource
    base: TrainOptions
    out: Path
    validation: GroupedDataset
    test: GroupedDataset
    deployed: DeployedModel
    runtime: Runtime
    clock: Clock
    notes: tuple[str, ...]

    @classmethod
    def begin(cls, deployed: str | None, options: FixOptions, data_options: Mapping[str, Any]) -> _Work:
        """Check everything, make the folder, and train the model if there is none."""
        clock = Clock(options.seconds)
        base = TrainOptions(
            data=options.data, data_root=options.data_root, data_options=dict(data_options), model=options.model,
            batch_size=options.batch_size, lr=options.lr, seed=options.seed, device=options.device,
            precision=options.precision, threads=options.threads,
        )  # fmt: skip
        given = None if deployed is None else _source(deployed, options)
        run = None if given is None else open_run(given)
        resolved = resolve(base, run)
        parts = data.load_splits(options.data, root=options.data_root, **resolved.data_options)
        train_rows, validation, test = parted(parts, resolved, run)
        _check_cells(validation)
        base = replace(base, data_options=dict(resolved.data_options), split_seed=resolved.split_seed)
        model = None if given is None else load_model(given, train_rows)
        if run is not None and options.model is None:
            base = replace(base, model=run.config["model"])
        out = Path(options.out)
        identity = folder.identity(deployed, options, resolved)
        epochs = folder.former_epochs(out, identity)
        if epochs is None:
            epochs = affordable_epochs(
                seconds_of(replace(base, method="ss", epochs=1, out=str(out / "trial"))),
                budget=options.seconds, most=options.epochs, students=options.students, teacher=deployed is None,
            )  # fmt: skip
            folder.begin(out, identity, epochs=epochs)
        base = replace(base, epochs=epochs, cache_dir=str(out / ".teacher-cache"))
        notes = []
        if given is None or model is None:
            _finished(replace(base, method="scratch", out=str(out / "teacher")), clock=clock)
            given = _source(str(out / "teacher"), options)
            model = load_model(given, train_rows)
        elif run is None and "val" not in parts:
            notes.append(
                "The validation rows were cut from the training rows. If the deployed model was trained on them, they "
                "flatter it, and the rule asks more of the others than it should"
            )
        runtime = choose_runtime(options.device, options.precision)
        return cls(options, given, base, out, validation, test, model, runtime, clock, tuple(notes))

    def predictions(self, model: DeployedModel, rows: GroupedDataset, where: str | None = None) -> Predictions:
        return predictions_of(model, rows, where=where or self.source.path, runtime=self.runtime)

    def try_students(self) -> tuple[list[Candidate], list[str]]:
        """Train students while there is time; return them, and who was left out."""
        found: list[Candidate] = []
        every = students(self.options.data)[: self.options.students]
        for number, student in enumerate(every):
            if number > 1 and not self.clock.has_room():
                return found, [f"Not tried for want of time: {', '.join(each.name for each in every[number:])}"]
            run = _finished(self._wanted(student), clock=self.clock)
            model = load_model(ModelSource(path=str(run.path), option="student"), self.validation)
            predictions = self.predictions(model, self.validation, str(run.path))
            found.append(Candidate(student.name, student.said, predictions, run=run, settings=dict(student.settings)))
        return found, []

    def _wanted(self, student: Student) -> TrainOptions:
        source = self.source
        exported = Path(source.path).suffix == ".pt2"
        return replace(
            self.base, method=student.method, set=dict(student.settings), out=str(self.out / student.name),
            init="scratch" if exported else self.options.init,
            teacher=source.path, teacher_model=source.network if Path(source.path).is_file() and not exported else None,
            teacher_size=source.size, teacher_mean=source.mean, teacher_std=source.std,
        )  # fmt: skip

    def conclude(
        self,
        chosen: Candidate,
        candidates: list[Candidate],
        why: str | None,
        on_validation: dict[str, Any],
        promised: dict[str, Any] | None,
        notes: list[str],
    ) -> dict[str, Any]:
        """Read the test set for the chosen candidate, and write everything."""
        before = self.predictions(self.deployed, self.test)
        after = before
        if chosen.run is not None:
            if not chosen.run.finished:
                resume(chosen.run.path, quiet=True)
            after = run_predictions(RunFolder.open(chosen.run.path))
        elif chosen.adjust is not None:
            after = chosen.adjust(before)
        said = {
            "fairdistill": __version__,
            "deployed": self.source.path,
            "rule": str(self.options.parsed_rule),
            "chosen": chosen.name,
            "said": chosen.said,
            "why_kept": why,
            "fair_enough": self.options.fair_enough,
            "needs_group": chosen.needs_group,
            "settings": chosen.settings,
            "model": None if chosen.run is None else str(chosen.run.path / "model.safetensors"),
            "epochs": self.base.epochs,
            "candidates": [
                {"name": each.name, "said": each.said, "needs_group": each.needs_group, **each.values}
                for each in candidates
            ],
            "validation": on_validation,
            "promised": promised,
            "test_before": audit(before, _AUDIT),
            "test_after": None if after is before else values_of(after),
            "kept": None if after is before else _change(before, after),
            "notes": notes,
        }
        if chosen.run is not None:
            page = ReportOptions(out=str(self.out / "report.html"), card=str(self.out / "model-card.md"))
            report([*self._teacher_runs(), chosen.run.path], page)
        write_json(self.out / "fix.json", said)
        write_text(self.out / "recommendation.md", recommendation(said) + "\n")
        return said

    def _teacher_runs(self) -> list[Path]:
        """Return the deployed model's run folder, if it is a finished one on the same rows."""
        path = Path(self.source.path)
        if path == self.out / "teacher" and not RunFolder.open(path).finished:
            resume(path, quiet=True)
        is_run = path.is_dir() and RunFolder.open(path).config["data"] == self.base.data
        return [path] if is_run and RunFolder.open(path).finished else []


def _source(path: str, options: FixOptions) -> ModelSource:
    is_run = Path(path).is_dir()
    return ModelSource(
        path=path, network=None if is_run else options.model, size=options.model_size, mean=options.model_mean,
        std=options.model_std, option="model", network_option="--model",
    )  # fmt: skip


def _check_cells(validation: GroupedDataset) -> None:
    empty = validation.empty_cells()
    if empty:
        raise DataError(
            f"{validation.name} has no row of {', '.join(empty)}, so nothing can be chosen on it; label more "
            "validation rows, or join groups that are too small"
        )


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
    clock.took(time.monotonic() - started)
    return run
