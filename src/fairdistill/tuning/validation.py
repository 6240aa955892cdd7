"""The validation set, on which every trial is evaluated: its size, its noise, and what the teacher scores on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.choosing import Measures, measures_of_predictions
from fairdistill.data import GroupedDataset
from fairdistill.metrics import SCORES, Scores, calibration_bins, overall_calibration_error
from fairdistill.predictions.trained.evaluation import Evaluation
from fairdistill.predictions.trained.model import load_model, predictions_of
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.runs import RunFolder
from fairdistill.system.runtime import Runtime
from fairdistill.training import Setup, evaluate_teacher
from fairdistill.tuning.early_stopping import Noise


@dataclass(frozen=True, kw_only=True)
class ValidationSet:
    """What a search knows about the validation set.

    Attributes:
        samples: its images.
        runtime: device and precision on which trials are evaluated.
        noise: how far chance moves each metric on them.
        teacher: what the teacher scores on them, if there is one.
        teacher_measures: all metrics of the teacher.
    """

    samples: GroupedDataset
    runtime: Runtime
    noise: Noise
    teacher: Scores | None
    teacher_measures: Measures | None

    @property
    def rows(self) -> int:
        """The number of samples."""
        return len(self.samples)

    def measured(self, run: RunFolder) -> Measures:
        """Return all metrics, by which a rule can choose, of the weights that a run keeps."""
        model = load_model(ModelSource(path=str(run.path), option="trial"), self.samples, self.runtime)
        found = predictions_of(model, self.samples, where=str(run.path), runtime=self.runtime)
        return measures_of_predictions(found)

    @classmethod
    def of(cls, setup: Setup) -> ValidationSet:
        """Return the validation set of a training, with the teacher's scores; every subgroup must have samples."""
        own = setup.data.validation
        found = evaluate_teacher(setup, own)
        teacher = None if found is None else Scores(**{name: getattr(found, name) for name in SCORES})
        measures = None
        if isinstance(found, Evaluation):  # of one label, which is all that tune takes
            error = overall_calibration_error(
                calibration_bins(
                    own.labels.numpy(), found.probabilities.cpu().numpy(), np.zeros(len(own), np.int64), num_groups=1
                )
            )
            measures = Measures(
                found.counts, accuracy=found.accuracy, class_names=own.class_names, group_names=own.group_names,
                calibration_error=error,
            )  # fmt: skip
        return cls(
            samples=own, runtime=setup.runtime, noise=Noise.of(own.cell_counts(), len(own)), teacher=teacher,
            teacher_measures=measures,
        )  # fmt: skip
