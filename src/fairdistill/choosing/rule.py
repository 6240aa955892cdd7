"""The rule that picks one model: the best in one metric among those that meet some conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fairdistill.choosing.measures import check_named
from fairdistill.choosing.metrics import Metric, parse_metric
from fairdistill.choosing.values import Standing, Values
from fairdistill.errors import UsageError
from fairdistill.text.numbers import percent

Reference = Literal["deployed", "teacher"]
"""What a rule calls the model that limits are relative to; both mean the same."""

_ROUNDING = 1e-9  # 0.915 - 0.005 is a little more than 0.91


@dataclass(frozen=True)
class Condition:
    """A limit that a model must keep.

    Attributes:
        metric: the metric, as :func:`parse_metric` reads it.
        sign: whether the metric must be at most or at least the limit.
        number: the limit, a fraction; added to the value of the deployed model if ``of`` is given.
        of: what the rule calls the deployed model, if the limit is relative to it.

    Example:
        >>> condition = Condition("accuracy", ">=", -0.005, of="deployed")
        >>> str(condition), round(condition.limit({"accuracy": 0.9}), 3)
        ('accuracy >= deployed - 0.005', 0.895)
    """

    metric: str
    sign: Literal["<=", ">="]
    number: float
    of: Reference | None = None

    def limit(self, deployed: Values | None) -> float:
        """Return the limit, a fraction; NaN if the deployed model's metric is undefined."""
        if self.of is None:
            return self.number
        assert deployed is not None, "the caller checks relative"
        return deployed[self.metric] + self.number

    def shortfall(self, model: Values, deployed: Values | None) -> float:
        """Return by how much a model misses the limit: 0 if it keeps it, infinite if either is undefined."""
        excess = model[self.metric] - self.limit(deployed)
        missing = excess if self.sign == "<=" else -excess
        if math.isnan(missing):
            return math.inf
        return missing if missing > _ROUNDING else 0.0

    def missed(self, model: Values, deployed: Values | None) -> str:
        """Return by how much a model misses the limit, in words; empty if it keeps it."""
        by, value = self.shortfall(model, deployed), model[self.metric]
        if not by:
            return ""
        limit = self.limit(deployed)
        if math.isnan(value) or math.isnan(limit):
            whose = "" if math.isnan(value) else f" of the {self.of} model"
            return f"{self.metric}{whose} is undefined, so {self} cannot be checked"
        shown = f" ({limit:.4f})" if self.of else ""
        return f"{self.metric} {value:.4f} misses {self}{shown} by {by:.4f}"

    def in_words(self, deployed: Values | None) -> str:
        """Return the limit in percent."""
        limit = f"{title(self.metric)} {self.sign} {percent(self.limit(deployed), 2)}%"
        if self.of is None:
            return limit
        assert deployed is not None, "the caller checks relative"
        points = f" {'-' if self.number < 0 else '+'} {100 * abs(self.number):g} points" if self.number else ""
        return f"{limit} ({self.of} {percent(deployed[self.metric], 2)}%{points})"

    def __str__(self) -> str:
        if self.of is None:
            return f"{self.metric} {self.sign} {self.number:g}"
        added = f" {'-' if self.number < 0 else '+'} {abs(self.number):g}" if self.number else ""
        return f"{self.metric} {self.sign} {self.of}{added}"


@dataclass(frozen=True)
class Rule:
    """Which model to choose; see :func:`parse_rule`.

    Attributes:
        metric: the metric to choose by, as :func:`parse_metric` reads it: the best value is chosen.
        conditions: the limits that the model must keep.
    """

    metric: str
    conditions: tuple[Condition, ...] = ()

    @property
    def relative(self) -> bool:
        """Whether a condition is relative to the deployed model (the teacher)."""
        return any(condition.of is not None for condition in self.conditions)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the rule names, each once."""
        return tuple(dict.fromkeys((self.metric, *(condition.metric for condition in self.conditions))))

    def check(self, class_names: Sequence[str], group_names: Sequence[str]) -> None:
        """Check that the data has each class and each group that the rule names.

        Raises:
            UsageError: with the names that the data has.
        """
        for name in self.metrics:
            check_named(_metric(name), class_names, group_names, str(self))

    def standing(self, model: Values, deployed: Values | None) -> Standing:
        """Return how a model stands, lower is better.

        Models that keep all conditions come before those that do not; of those, the one that misses less. Then the
        metric of the rule decides, then the accuracy (DEO_A if the rule is about accuracy). A model with an undefined
        metric comes last.

        Example:
            >>> rule = Rule("deo_a", (Condition("accuracy", ">=", 0.9),))
            >>> rule.standing({"accuracy": 0.9, "deo_a": 0.3}, None)
            (0.0, 0.3, -0.9)
        """
        other = "deo_a" if self.metric == "accuracy" else "accuracy"
        order = [-value if _metric(name).higher else value for name in (self.metric, other) for value in (model[name],)]
        missed = [condition.shortfall(model, deployed) for condition in self.conditions]
        undefined = math.inf if math.isnan(order[0]) else 0.0
        return (max([undefined, *missed]), *(math.inf if math.isnan(value) else value for value in order))

    def pick(self, models: Mapping[int, Values], deployed: Values | None) -> int:
        """Return the number of the chosen model.

        Ties go to the model with the higher accuracy (or the lower DEO_A, if the rule is about accuracy), then to the
        lower number.

        Args:
            models: the metrics of at least one model by its number, on the validation set.
            deployed: those of the deployed model (the teacher); None if the rule does not need them.

        Raises:
            UsageError: if no model meets the conditions; it says which came closest, and by how much it missed.
        """
        standings = {number: self.standing(model, deployed) for number, model in models.items()}
        best = min(standings, key=lambda number: (standings[number], number))
        if standings[best][0] > 0:
            raise UsageError(
                f"no model meets the rule {str(self)!r}; trial {best} comes closest: "
                f"{', '.join(self.missed(models[best], deployed))}. Relax --rule or search further; what has been "
                "trained is kept"
            )
        return best

    def in_words(self, deployed: Values | None) -> str:
        """Return the rule as a phrase, with the limits in percent."""
        wanted = f"the {'highest' if _metric(self.metric).higher else 'lowest'} {title(self.metric)}"
        limits = [condition.in_words(deployed) for condition in self.conditions]
        return f"{wanted} with {' and '.join(limits)}" if limits else wanted

    def __str__(self) -> str:
        if not self.conditions:
            return self.metric
        return f"{self.metric} subject to {' and '.join(map(str, self.conditions))}"

    def missed(self, model: Values, deployed: Values | None) -> list[str]:
        """Return each condition that a model does not meet, and by how much, in words."""
        undefined = [f"{self.metric} is undefined"] if math.isnan(model[self.metric]) else []
        return [*undefined, *filter(None, (condition.missed(model, deployed) for condition in self.conditions))]


def title(metric: str) -> str:
    """Return the name of a metric in texts.

    Example:
        >>> title("deo_a"), title("recall[cat]")
        ('DEO_A', 'Recall of cat')
    """
    return _metric(metric).title


def _metric(name: str) -> Metric:
    found = parse_metric(name)
    if found is None:
        raise KeyError(name)
    return found
