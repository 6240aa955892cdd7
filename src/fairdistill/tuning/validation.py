"""The validation set, on which every trial is evaluated: its size, its noise, and what the teacher scores on it."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.data import Pipeline
from fairdistill.metrics import Scores
from fairdistill.predictions.evaluation import evaluate, logits_of
from fairdistill.training import Setup
from fairdistill.tuning.early_stopping import Noise


@dataclass(frozen=True, kw_only=True)
class ValidationSet:
    """What a search knows about the validation set.

    Attributes:
        rows: the number of samples.
        noise: how far chance moves each metric on them.
        teacher: what the teacher scores on them, if there is one.
    """

    rows: int
    noise: Noise
    teacher: Scores | None

    @classmethod
    def of(cls, setup: Setup) -> ValidationSet:
        """Return the validation set of a training, with the teacher's scores; every subgroup must have samples."""
        own = setup.data.validation
        return cls(rows=len(own), noise=Noise.of(own.cell_counts(), len(own)), teacher=_teacher_scores(setup))


def _teacher_scores(setup: Setup) -> Scores | None:
    """Return what the teacher scores on the validation set, with its own preprocessing."""
    if setup.teacher is None:
        return None
    network, device, own = setup.teacher.network, setup.runtime.device, setup.data.validation
    images = Pipeline(own, device=device, seed=setup.options.seed, recipe=setup.teacher.recipe)
    judged = evaluate(logits_of(lambda batch: network(batch)["logits"], images, setup.runtime.autocast), own)
    return Scores(accuracy=judged.accuracy, deo_a=judged.deo_a, deo_m=judged.deo_m)
