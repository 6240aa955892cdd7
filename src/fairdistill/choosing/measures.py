"""All metrics of one model on one set of samples, by name, for rules and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fairdistill.choosing.metrics import KINDS, Metric
from fairdistill.errors import UsageError
from fairdistill.metrics import (
    Counts,
    balanced_accuracy,
    calibration_bins,
    cell_accuracy,
    class_balanced_accuracy,
    demographic_parity_difference,
    deo_a,
    deo_by_class,
    deo_m,
    equalised_odds_difference,
    group_accuracy,
    impact_ratio,
    overall_calibration_error,
)
from fairdistill.predictions import Predictions
from fairdistill.text.lists import listed

_NAN = float("nan")
_NAMED = 20


class Measures(Mapping[str, float]):
    """All metrics of a model on some samples; a read-only mapping of names to fractions, NaN where undefined.

    The names are those of :data:`KINDS`, with the names of the data for CLASS and GROUP. ``accuracy`` and
    ``calibration_error`` count all samples; everything else counts those whose group is known.

    Args:
        counts: int64 ``[G, C, C]`` (group, true, predicted).
        accuracy: of all samples.
        class_names: one per class.
        group_names: one per group.
        calibration_error: of all samples; NaN without probabilities.

    Example:
        >>> counts = np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])
        >>> found = Measures(counts, accuracy=0.8125, class_names=("cat", "dog"), group_names=("day", "night"))
        >>> found["balanced_accuracy"], found["recall[dog]"], found["deo[dog]"], found["accuracy[night]"]
        (0.8125, 0.75, 0.5, 0.75)
    """

    def __init__(
        self,
        counts: Counts,
        *,
        accuracy: float,
        class_names: Sequence[str],
        group_names: Sequence[str],
        calibration_error: float = _NAN,
    ) -> None:
        groups, classes, _ = counts.shape
        if (groups, classes) != (len(group_names), len(class_names)):
            raise ValueError(
                f"Expected argument `counts` of {len(group_names)} groups and {len(class_names)} classes, but got "
                f"shape {counts.shape}"
            )
        self.class_names, self.group_names = tuple(class_names), tuple(group_names)
        self._counts = counts
        cells, by_class = cell_accuracy(counts), deo_by_class(counts)
        complete = by_class[~np.isnan(by_class)]
        self.single: Mapping[str, float] = MappingProxyType(
            {
                "accuracy": float(accuracy),
                "balanced_accuracy": balanced_accuracy(counts),
                "class_balanced_accuracy": class_balanced_accuracy(counts),
                "worst_group": _smallest(group_accuracy(counts)),
                "worst_subgroup": _smallest(cells),
                "deo_a": deo_a(counts),
                "deo_m": deo_m(counts),
                "deo_a_complete": float(complete.mean()) if len(complete) else _NAN,
                "deo_m_complete": float(complete.max()) if len(complete) else _NAN,
                "demographic_parity": demographic_parity_difference(counts),
                "equalised_odds": equalised_odds_difference(counts),
                "impact_ratio": impact_ratio(counts),
                "calibration_error": float(calibration_error),
            }
        )
        """The metrics that are not of a class or a group."""

    @cached_property
    def _all(self) -> Mapping[str, float]:
        classes, groups, cells = self.class_names, self.group_names, cell_accuracy(self._counts)
        of_class = cell_accuracy(self._counts.sum(axis=0, keepdims=True))[0]

        def named(kind: str, names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
            return {str(Metric(kind, (name,))): float(value) for name, value in zip(names, values, strict=True)}

        return {
            **self.single,
            **named("recall[CLASS]", classes, of_class),
            **{
                str(Metric("recall[CLASS][GROUP]", (name, group))): float(cells[row, column])
                for column, name in enumerate(classes)
                for row, group in enumerate(groups)
            },
            **named("accuracy[GROUP]", groups, group_accuracy(self._counts)),
            **named("deo[CLASS]", classes, deo_by_class(self._counts)),
        }

    def __getitem__(self, name: str) -> float:
        """Return a metric by its name, for example ``deo_a`` or ``recall[cat]``."""
        found = self.single.get(name)
        return self._all[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"Measures({', '.join(f'{name}={value:.4g}' for name, value in self.single.items())}, ...)"


def measures_of_predictions(predictions: Predictions) -> Measures:
    """Return all metrics of predictions; the calibration error is NaN if they have no probabilities."""
    error = _NAN
    if predictions.probabilities is not None:
        together = np.zeros_like(predictions.labels)
        error = overall_calibration_error(
            calibration_bins(predictions.labels, predictions.probabilities, together, num_groups=1)
        )
    return Measures(
        predictions.counts,
        accuracy=float(predictions.correct.mean()) if len(predictions) else _NAN,
        class_names=predictions.class_names,
        group_names=predictions.group_names,
        calibration_error=error,
    )


def check_named(metric: Metric, class_names: Sequence[str], group_names: Sequence[str], rule: str) -> None:
    """Check that the data has the class or the group that a rule's metric is of.

    Raises:
        UsageError: with the names of the data, if it has none of that name.
    """
    names = {"class": class_names, "group": group_names}
    for what, name in zip(KINDS[metric.kind].per, metric.of, strict=True):
        if name not in names[what]:
            raise UsageError(
                f"the rule {rule!r} names {metric}, but the data has no {what} {name!r}; choose from "
                f"{listed(names[what], _NAMED)}"
            )


def _smallest(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.min()) if known.size else _NAN
