"""The trials that no other beats: the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairdistill.choosing.rule import Values
from fairdistill.errors import UsageError
from fairdistill.metrics.names import METRICS


def parse_objectives(text: str) -> tuple[str, ...]:
    """Return the metrics that the front is over, always in the same order.

    Raises:
        UsageError: unless they are two or three different metrics.

    Example:
        >>> parse_objectives("deo_m, accuracy")
        ('accuracy', 'deo_m')
    """
    given = [part.strip().lower() for part in text.split(",")]
    if len(given) < 2 or len(set(given)) < len(given) or not set(given) <= set(METRICS):
        raise UsageError(f"expected --objectives to be two or three of {', '.join(METRICS)}, but got {text!r}")
    return tuple(metric for metric in METRICS if metric in given)


def gain(values: Values, other: Values, metric: str) -> float:
    """Return by how much a model is better than another in one metric: more accuracy, or less DEO."""
    difference = values[metric] - other[metric]
    return difference if metric == "accuracy" else -difference


def front(trials: Mapping[int, Values], objectives: Sequence[str]) -> list[int]:
    """Return the trials that no other beats, by number.

    One beats another if it is at least as good in every objective and better in one. Trials of equal values are all on
    the front.

    Example:
        >>> trials = {0: {"accuracy": 0.9, "deo_a": 0.3}, 1: {"accuracy": 0.8, "deo_a": 0.1},
        ...           2: {"accuracy": 0.8, "deo_a": 0.2}}
        >>> front(trials, ["accuracy", "deo_a"])
        [0, 1]
    """

    def beaten(own: Values) -> bool:
        gains = ([gain(other, own, metric) for metric in objectives] for other in trials.values())
        return any(min(each) >= 0 and max(each) > 0 for each in gains)

    return [number for number in sorted(trials) if not beaten(trials[number])]
