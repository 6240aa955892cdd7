"""All metrics of a model by name, by which a rule can choose, and which of them a study keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairdistill.choosing import Measures
from fairdistill.metrics import SCORES, Scores

_MOST = 1000  # metrics that a study keeps for each trial


class Values(dict[str, float]):
    """Metrics by name; NaN for any other name."""

    def __missing__(self, _name: str) -> float:
        return math.nan


def values_of(scores: Scores, measures: Mapping[str, float]) -> Values:
    """Return the scores of a model, as measured during its training, beside its other metrics."""
    own = {name: scores[name] for name in SCORES if not math.isnan(scores[name])}
    return Values({**measures, **own})


def kept(measures: Measures, rule_metrics: Sequence[str]) -> dict[str, float]:
    """Return the metrics that are defined; of more than 1,000 only those that a rule names or that are of no class.

    Example:
        >>> counts = np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])
        >>> measures = Measures(counts, accuracy=0.8125, class_names=("cat", "dog"), group_names=("day", "night"))
        >>> kept(measures, ())["recall[dog]"]
        0.75
    """
    names = list(measures) if len(measures) <= _MOST else dict.fromkeys([*measures.single, *rule_metrics])
    return {name: measures[name] for name in names if not math.isnan(measures[name])}


def measured_on_test(result: Mapping[str, Any]) -> Measures:
    """Return the metrics of a finished run on the test set, from its ``result.json``."""
    return Measures(
        np.asarray(result["counts"], np.int64), accuracy=float(result["accuracy"]), class_names=result["class_names"],
        group_names=result["group_names"],
    )  # fmt: skip
