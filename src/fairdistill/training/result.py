"""What a finished run leaves: predictions, and last the result that marks it finished."""

from __future__ import annotations

from typing import Any

from fairdistill.data import GroupedDataset
from fairdistill.metrics import empty_cells
from fairdistill.predictions.evaluation import Evaluation
from fairdistill.runs import RunFolder
from fairdistill.training.environment import peak_memory_bytes
from fairdistill.training.prepare import Setup


def summary(judged: Evaluation) -> dict[str, Any]:
    """Return the numbers of an evaluation that go into the log and the result."""
    return {
        "accuracy": judged.accuracy,
        "deo_a": judged.deo_a,
        "deo_m": judged.deo_m,
        "loss": judged.loss,
        "cell_loss": judged.cell_loss,
        "collapsed": judged.collapsed,
    }


def write_result(
    run: RunFolder,
    setup: Setup,
    *,
    student: Evaluation,
    validation: Evaluation | None,
    teacher: Evaluation | None,
    steps: int,
    checkpoint_step: int,
    seconds: float,
) -> None:
    """Write the files of a finished run.

    Args:
        run: where to.
        setup: what was trained.
        student: the student on the test set.
        validation: the student on the validation set, where that is not the test set.
        teacher: the teacher on the test set, if there is one.
        steps: optimizer steps that were done.
        checkpoint_step: the step whose weights are kept.
        seconds: time spent in training steps.
    """
    _write_predictions(run, setup.test, "predictions.csv", student)
    if validation is not None:
        _write_predictions(run, setup.validation, "validation_predictions.csv", validation)
    if teacher is not None:
        _write_predictions(run, setup.test, "teacher_predictions.csv", teacher)
    samples = steps * setup.sampler.batch_size
    run.write_json(
        "result.json",
        {
            **summary(student),
            "counts": student.counts,
            "empty_cells": empty_cells(student.counts),
            "class_names": setup.test.class_names,
            "group_names": setup.test.group_names,
            "test_rows": len(setup.test),
            "unknown_groups": {
                "train": setup.train.num_unknown_groups,
                "validation": setup.validation.num_unknown_groups,
                "test": setup.test.num_unknown_groups,
            },
            "notes": setup.train.notes,
            "skipped_images": len(setup.train.skipped),
            "teacher": {**summary(teacher), **setup.teacher_record} if teacher is not None else None,
            "checkpoint_step": checkpoint_step,
            "budget": {"steps": steps, "samples": samples, "epochs": samples / len(setup.train)},
            "seconds": seconds,
            "samples_per_second": samples / seconds,
            "peak_memory_bytes": peak_memory_bytes(setup.runtime.device),
            "digests": setup.digests,
        },
    )


def _write_predictions(run: RunFolder, dataset: GroupedDataset, name: str, judged: Evaluation) -> None:
    run.write_predictions(
        name,
        ids=dataset.ids,
        source_ids=dataset.source_ids,
        labels=dataset.labels.tolist(),
        groups=dataset.groups.tolist(),
        probabilities=judged.probabilities.cpu().numpy(),
    )
