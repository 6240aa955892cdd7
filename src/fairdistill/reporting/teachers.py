"""What the teachers of runs get right: methods that are compared often share a few teachers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.predictions import Predictions, paired, run_predictions
from fairdistill.runs import RunFolder

_TABLE = "teacher_predictions.csv"


class Teachers:
    """Reads teachers' tables of predictions; tables with the same content are parsed once.

    Args:
        first: predictions of the first run of a report, which set the order of the images and classes.
    """

    def __init__(self, first: Predictions) -> None:
        self._first = first
        self._known: dict[tuple[object, ...], NDArray[np.bool_]] = {}

    def correct(self, run: RunFolder) -> NDArray[np.bool_] | None:
        """Return which images a run's teacher gets right, bool ``[N]``; None if the run has no table of its teacher.

        Raises:
            DataError: if the table is broken.
        """
        path = run.path / _TABLE
        if not path.exists():
            return None
        result = run.result
        key = (_digest(path), *result["class_names"], None, *result["group_names"])
        if key not in self._known:
            self._known[key] = paired(self._first, run_predictions(run, _TABLE))[1].correct
        return self._known[key]


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
