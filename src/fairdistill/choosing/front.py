"""The Pareto front: the models that no other model beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairdistill.choosing.metrics import parse_metric
from fairdistill.choosing.values import Values
from fairdistill.errors import UsageError
from fairdistill.metrics import SCORES


def parse_objectives(text: str) -> tuple[str, ...]:
    """Return the metrics to optimize, always in the order of ``SCORES``.

    Raises:
        UsageError: unless they are two or three different metrics that a training records at every evaluation.

    Example:
        >>> parse_objectives("deo_m, accuracy")
        ('accuracy', 'deo_m')
    """
    given = [part.strip().lower() for part in text.split(",")]
    if not 2 <= len(given) <= 3 or len(set(given)) < len(given) or not set(given) <= set(SCORES):
        raise UsageError(f"expected --objectives to be two or three of {', '.join(SCORES)}, but got {text!r}")
    return tuple(metric for metric in SCORES if metric in given)


def gain(model: Values, other: Values, metric: str) -> float:
    """Return how much better one model is than another in one metric: how much higher its accuracy or lower its DEO.

    Raises:
        KeyError: for a name that is not a metric.
    """
    found = parse_metric(metric)
    if found is None:
        raise KeyError(metric)
    change = model[metric] - other[metric]
    return change if found.higher else -change


def pareto_front(models: Mapping[int, Values], objectives: Sequence[str]) -> list[int]:
    """Return the numbers of the models that no other model beats.

    One model beats another if it is at least as good in every objective and better in one. Models with equal values
    share their place on the front.

    Example:
        >>> models = {
        ...     number: {"accuracy": accuracy, "deo_a": gap}
        ...     for number, (accuracy, gap) in enumerate([(0.9, 0.3), (0.8, 0.1), (0.8, 0.2)])
        ... }
        >>> pareto_front(models, ["accuracy", "deo_a"])
        [0, 1]
    """

    def beaten(own: Values) -> bool:
        gains = ([gain(other, own, metric) for metric in objectives] for other in models.values())
        return any(min(each) >= 0 and max(each) > 0 for each in gains)

    return [number for number in sorted(models) if not beaten(models[number])]
