"""Embedding a run: its student and its teacher, run over the test images and plotted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fairdistill._version import __version__
from fairdistill.data import GroupedDataset
from fairdistill.embedding.features import Features, features_of, student_of, teacher_of
from fairdistill.embedding.images import Drawn, draw, load_test_images, recorded_predictions
from fairdistill.embedding.options import EmbedOptions
from fairdistill.embedding.plot import plotted
from fairdistill.embedding.result import EmbeddedImages, EmbedResult
from fairdistill.errors import FairdistillError
from fairdistill.models import trust_code
from fairdistill.runs import RunFolder
from fairdistill.system.runtime import choose_runtime


def embedded(run: RunFolder, options: EmbedOptions) -> EmbedResult:
    """Embed a finished run and write ``features.npz`` and ``embedding.json``; see :func:`fairdistill.embed`."""
    trust_code(options.model, options.teacher_model)
    config, finished = run.config, run.result_for_one_label("embed colours images by one label")
    runtime = choose_runtime(options.device, "float32")
    device = runtime.device
    test = load_test_images(run, options.data_root)
    recorded = recorded_predictions(run, finished, test)
    drawn = draw(test, options)
    notes = list(drawn.notes)
    with run.lock(), torch.random.fork_rng(devices=[]):  # building a network draws weights before it loads its own
        student = features_of(student_of(run, test.recipe), test, options.tap, device)
        changed = int((student.predicted != recorded).sum())
        if changed:
            notes.append(
                f"the predictions of {changed:,} of {len(test):,} test images differ from predictions.csv; a few "
                "differences can come from rounding, but many mean that the images have changed"
            )
        teacher = None
        try:
            subject = teacher_of(config, finished, test, runtime)
            if subject is not None:
                teacher = features_of(subject, test, options.tap, device)
        except FairdistillError as error:  # the student can still be plotted
            notes.append(f"the teacher is left out: {error}")
        result = EmbedResult(
            settings=replace(drawn.options, device=str(device)),
            tap=options.tap,
            n=len(drawn.rows),
            per_cell=tuple(map(tuple, test.subset(drawn.rows).cell_counts().tolist())),
            notes=tuple(notes),
            made_with=_versions(),
            class_names=test.class_names,
            group_names=test.group_names,
            rows=_images(test, drawn, recorded),
            student=plotted(student.values, drawn, test),
            teacher=None if teacher is None else plotted(teacher.values, drawn, test),
        )
        run.write_arrays("features.npz", _arrays(test, drawn, student, teacher))
        run.write_json("embedding.json", result.to_dict())
    return result


def _images(test: GroupedDataset, drawn: Drawn, recorded: Tensor) -> EmbeddedImages:
    rows = drawn.rows
    return EmbeddedImages(
        ids=tuple(test.ids[row] for row in rows.tolist()),
        labels=tuple(test.labels[rows].tolist()),
        groups=tuple(test.groups[rows].tolist()),
        pred=tuple(recorded[rows].tolist()),
    )


def _arrays(
    test: GroupedDataset, drawn: Drawn, student: Features, teacher: Features | None
) -> dict[str, np.ndarray[Any, Any]]:
    rows = drawn.rows
    return {
        "ids": np.array([test.ids[row] for row in rows.tolist()]),
        "labels": test.labels[rows].numpy(),
        "groups": test.groups[rows].numpy(),
        "student": student.values[rows.numpy()],
        "teacher": np.empty((len(rows), 0), np.float32) if teacher is None else teacher.values[rows.numpy()],
    }


def _versions() -> dict[str, str]:
    import sklearn

    return {
        "fairdistill": __version__,
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
