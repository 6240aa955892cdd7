"""The candidates to replace a deployed model, and their results on the validation set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fairdistill.choosing import Measures, measures_of_predictions
from fairdistill.contract import Result, key
from fairdistill.heads import HeadFit
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.reporting.recommendation import Family
from fairdistill.runs import RunFolder

Adjustment = Callable[[Predictions], Predictions]
"""Makes different decisions from a model's probabilities and the groups."""

SHARES = tuple(tenth / 10 for tenth in range(1, 10))
"""How far along a line its candidates lie; with the two ends, eleven points."""

KEEP = "keep"
"""The name of the deployed model among the candidates."""


@dataclass(frozen=True, kw_only=True)
class Point(Result):
    """A model that was evaluated on the validation set; fractions.

    Attributes:
        name: of it, or of its kind.
        family: what kind of model it is.
        balanced_accuracy: mean over all subgroups.
        deo_a: mean gap over the classes.
        on_front: whether no other model is both more accurate and fairer; known at the end.
        chosen: whether it is the chosen candidate; known at the end.
        settings: what tells it from others of its kind.
        needs_group: whether a person's group must be known when it is used.
    """

    name: str
    family: Family
    balanced_accuracy: float
    deo_a: float
    on_front: bool = False
    chosen: bool = False
    settings: Mapping[str, Any] | None
    needs_group: bool = key(written=False)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One candidate.

    Attributes:
        name: short, for tables.
        family: what kind of model it is.
        description: what it is, for sentences.
        validation: its predictions on the validation set; of a head that was fitted there, cross-fitted ones.
        source: where its weights are and how to read them; None for the deployed model, a correction, and a model
            whose file is not written yet.
        run: the student's run folder, if it is a student.
        configuration: how the student is trained, by a name that is the same in every round.
        head: the last layer, if it is the deployed model with another one.
        adjust: how it decides, if it is a correction; it needs the group of each person.
        settings: what was fitted or chosen, for the record.
        use: how to decide with it, in words, if it is a correction.
        seconds: the time that it took to fit or train, the pass over the images not counted.
    """

    name: str
    family: Family
    description: str
    validation: Predictions
    source: ModelSource | None = None
    run: RunFolder | None = None
    configuration: str | None = None
    head: HeadFit | None = None
    adjust: Adjustment | None = None
    settings: Mapping[str, Any] | None = None
    use: str | None = None
    seconds: float = 0.0

    @classmethod
    def of_deployed(cls, validation: Predictions) -> Candidate:
        """Return the deployed model as a candidate, given its predictions on the validation set."""
        return cls(name=KEEP, family="deployed", description="your model as it is", validation=validation)

    @property
    def file(self) -> Path | None:
        """Its weights, None if it has no file of its own."""
        if self.source is None:
            return None
        path = Path(self.source.path)
        return path / "model.safetensors" if path.is_dir() else path

    @property
    def title(self) -> str:
        """Its name, and what its last layer was fitted on."""
        return self.name if self.head is None else f"{self.name} (fitted on {self.head.fitted_on})"

    @property
    def slug(self) -> str:
        """Its name as a folder."""
        return re.sub(r"\W+", "-", self.name)

    @property
    def needs_group(self) -> bool:
        """Whether the group of a person must be known when the candidate is used."""
        return self.adjust is not None

    @cached_property
    def measures(self) -> Measures:
        """Its metrics on the validation set, by name; fractions."""
        return measures_of_predictions(self.validation)

    @property
    def collapsed(self) -> bool:
        """Whether it predicts a single class, so that a gap of 0 means nothing."""
        return len(np.unique(self.validation.predicted)) == 1

    @property
    def point(self) -> Point:
        """Its place in the picture of the front."""
        return Point(
            name=self.name, family=self.family, balanced_accuracy=self.measures["balanced_accuracy"],
            deo_a=self.measures["deo_a"], settings=self.settings, needs_group=self.needs_group,
        )  # fmt: skip
