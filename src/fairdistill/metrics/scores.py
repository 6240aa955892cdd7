"""The metrics that models are compared by, as one value, and the direction in which each improves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

METRICS = {"accuracy": "Accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M"}
"""The three metrics of every table, by their key in files and their name in texts."""

SCORES = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M"}
"""The metrics that a training records at every evaluation, by key and name."""


def higher_is_better(metric: str) -> bool:
    """Return whether a metric improves as it rises, as accuracies do; DEO_A and DEO_M improve as they fall.

    Raises:
        KeyError: for a name that is not a metric.

    Example:
        >>> higher_is_better("accuracy"), higher_is_better("deo_a")
        (True, False)
    """
    if metric not in SCORES:
        raise KeyError(metric)
    return metric in ("accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Scores:
    """The scores of a model on some samples; fractions, NaN where undefined.

    Attributes:
        accuracy: over all samples.
        deo_a: the mean over the classes of the difference between groups.
        deo_m: the largest difference.
        balanced_accuracy: the mean accuracy of the subgroups; NaN in records of older versions.

    Example:
        >>> scores = Scores(accuracy=0.9, deo_a=0.1, deo_m=0.2)
        >>> scores["deo_m"] == scores.deo_m
        True
    """

    accuracy: float
    deo_a: float
    deo_m: float
    balanced_accuracy: float = math.nan

    @staticmethod
    def from_dict(content: Mapping[str, float | None]) -> Scores:
        """Return the scores among what a JSON file holds, where null is undefined."""
        values = {**{name: content[name] for name in METRICS}, "balanced_accuracy": content.get("balanced_accuracy")}
        return Scores(**{name: math.nan if value is None else float(value) for name, value in values.items()})

    def __getitem__(self, metric: str) -> float:
        """Return one of the metrics by its name."""
        if metric not in SCORES:
            raise KeyError(metric)
        value: float = getattr(self, metric)
        return value
