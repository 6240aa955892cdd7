"""The three metrics that models are compared by, as one value, and which way each improves."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.metrics.names import METRICS


def higher_is_better(metric: str) -> bool:
    """Return whether a metric improves as it rises, as accuracy does; DEO_A and DEO_M improve as they fall.

    Raises:
        KeyError: for a name that is not a metric.
    """
    if metric not in METRICS:
        raise KeyError(metric)
    return metric == "accuracy"


def improvement(metric: str, change: float) -> float:
    """Return a change of a metric with the sign that makes an improvement positive.

    Example:
        >>> improvement("accuracy", 0.5), improvement("deo_a", 0.5)
        (0.5, -0.5)
    """
    return change if higher_is_better(metric) else -change


@dataclass(frozen=True)
class Scores:
    """What a model scores on some samples; fractions, undefined is NaN.

    Attributes:
        accuracy: over all samples.
        deo_a: the mean over the classes of the difference between groups.
        deo_m: the largest difference.

    Example:
        >>> scores = Scores(accuracy=0.9, deo_a=0.1, deo_m=0.2)
        >>> scores["deo_m"] == scores.deo_m
        True
    """

    accuracy: float
    deo_a: float
    deo_m: float

    def __getitem__(self, metric: str) -> float:
        """Return one of the metrics by its name."""
        if metric not in METRICS:
            raise KeyError(metric)
        value: float = getattr(self, metric)
        return value
