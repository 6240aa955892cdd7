"""The validation set, on which every trial is evaluated: its size, its noise, and what the teacher scores on it."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.metrics import SCORES, Scores
from fairdistill.training import Setup, evaluate_teacher
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
        found = evaluate_teacher(setup, own)
        teacher = None if found is None else Scores(**{name: getattr(found, name) for name in SCORES})
        return cls(rows=len(own), noise=Noise.of(own.cell_counts(), len(own)), teacher=teacher)
