"""The output of a finished run: its predictions and, last, the result, which marks it as finished."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fairdistill.data import GroupedDataset
from fairdistill.metrics import empty_cells
from fairdistill.predictions.trained.attribute_evaluation import AttributesEvaluation
from fairdistill.predictions.trained.attribute_model import write_attributes
from fairdistill.predictions.trained.evaluation import Evaluation
from fairdistill.runs import RunFolder
from fairdistill.training.machine.environment import peak_memory_bytes
from fairdistill.training.setup import Setup

Judged = Evaluation | AttributesEvaluation


def summary(judged: Judged) -> dict[str, Any]:
    """Return the numbers of an evaluation that go into the log and the result."""
    return {
        "accuracy": judged.accuracy,
        "balanced_accuracy": judged.balanced_accuracy,
        "deo_a": judged.deo_a,
        "deo_m": judged.deo_m,
        "loss": judged.loss,
        "cell_loss": judged.cell_loss,
        "collapsed": judged.collapsed,
    }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a run.

    Attributes:
        student: the student on the test set.
        validation: the student on the validation set, unless that is the test set.
        teacher: the teacher on the test set, if there is one.
        steps: optimizer steps done.
        checkpoint_step: the step whose weights are kept.
        seconds: time spent in training steps.
    """

    student: Judged
    validation: Judged | None
    teacher: Judged | None
    steps: int
    checkpoint_step: int
    seconds: float


def write_result(run: RunFolder, setup: Setup, outcome: Outcome) -> None:
    """Write the predictions and the result of a finished run."""
    train, validation, test = setup.data
    _write_predictions(run, test, "predictions.csv", outcome.student)
    if outcome.validation is not None:
        _write_predictions(run, validation, "validation_predictions.csv", outcome.validation)
    taught = None
    if outcome.teacher is not None and setup.teacher is not None:
        _write_predictions(run, test, "teacher_predictions.csv", outcome.teacher)
        trained_by = {**asdict(setup.teacher.model.trained_by), "settings": setup.teacher.settings}
        taught = {**summary(outcome.teacher), **trained_by}
    samples = outcome.steps * setup.sampler.batch_size
    run.write_json(
        "result.json",
        {
            **summary(outcome.student),
            **_by_class(outcome.student, test),
            "group_names": test.group_names,
            "test_rows": len(test),
            "unknown_groups": {
                "train": train.num_unknown_groups,
                "validation": validation.num_unknown_groups,
                "test": test.num_unknown_groups,
            },
            "notes": train.notes,
            "skipped_images": len(train.skipped),
            "teacher": taught,
            "checkpoint_step": outcome.checkpoint_step,
            "recipe": setup.options.recipe,
            "budget": {"steps": outcome.steps, "samples": samples, "epochs": samples / len(train)},
            "seconds": outcome.seconds,
            "samples_per_second": samples / outcome.seconds,
            "peak_memory_bytes": peak_memory_bytes(setup.runtime.device),
            "digests": setup.digests,
        },
    )


def _by_class(judged: Judged, test: GroupedDataset) -> dict[str, Any]:
    """Return the counts of a result, and the names of their classes; for each attribute, if there are several."""
    if isinstance(judged, Evaluation):
        return {"counts": judged.counts, "empty_cells": empty_cells(judged.counts), "class_names": test.class_names}
    pairs = zip(judged.names, judged.each, test.of_attributes(), strict=True)
    return {"attributes": {name: {**summary(one), **_by_class(one, data)} for name, one, data in pairs}}


def _write_predictions(run: RunFolder, dataset: GroupedDataset, name: str, judged: Judged) -> None:
    if isinstance(judged, Evaluation):
        run.write_predictions(
            name,
            ids=dataset.ids,
            source_ids=dataset.source_ids,
            labels=dataset.labels.tolist(),
            groups=dataset.groups.tolist(),
            probabilities=judged.probabilities.cpu().numpy(),
        )
        return
    write_attributes(run.path / name, dataset, dict(zip(judged.names, judged.shares.T.cpu().numpy(), strict=True)))
