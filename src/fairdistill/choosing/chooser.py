"""What chooses one of several models: a rule in words or a Python function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Values(Protocol):
    """The metrics of one model by name, for example :class:`Measures`."""

    def __getitem__(self, name: str, /) -> float:
        """Return a metric, a fraction; NaN where undefined."""
        ...


Standing = tuple[float, ...]
"""How a model stands by a rule: the lower, the better. The first number is 0 if the model is allowed; otherwise it is
by how much the model misses the rule's conditions."""


class Chooser(Protocol):
    """A rule: it orders models and picks one. ``str`` returns it as it is recorded."""

    @property
    def metric(self) -> str | None:
        """The metric that the rule optimizes; None if it is a function."""
        ...

    @property
    def relative(self) -> bool:
        """Whether the rule needs the values of the deployed model (the teacher)."""
        ...

    def check(self, class_names: Sequence[str], group_names: Sequence[str]) -> None:
        """Raise a UsageError if the rule names a class or a group that the data does not have."""
        ...

    def standing(self, model: Values, deployed: Values | None) -> Standing:
        """Return how a model stands."""
        ...

    def missed(self, model: Values, deployed: Values | None) -> list[str]:
        """Return each condition that a model does not meet, and by how much, in words."""
        ...

    def in_words(self, deployed: Values | None) -> str:
        """Return the rule as a phrase, with the limits in percent."""
        ...

    def pick(self, models: Mapping[int, Values], deployed: Values | None) -> int:
        """Return the number of the chosen model."""
        ...


def better(rule: Chooser, model: Values, other: Values, deployed: Values | None) -> bool:
    """Return whether a model is better than another by a rule; False if they are equal.

    Models that keep all conditions come before those that do not; of those, the one that misses less. Then the metric
    of the rule decides, then the accuracy (DEO_A if the rule is about accuracy). A model with an undefined metric comes
    last.

    Example:
        >>> from fairdistill.choosing import parse_rule
        >>> rule = parse_rule("deo_a subject to accuracy >= 0.9")
        >>> better(rule, {"accuracy": 0.9, "deo_a": 0.3}, {"accuracy": 0.8, "deo_a": 0.1}, None)
        True
    """
    return rule.standing(model, deployed) < rule.standing(other, deployed)


def picked(rule: Chooser, models: Mapping[int, Values], deployed: Values | None) -> tuple[int, bool]:
    """Return the number of the best model, the lowest of equal ones, and whether the rule allows it."""
    standings = {number: rule.standing(model, deployed) for number, model in models.items()}
    best = min(standings, key=lambda number: (standings[number], number))
    return best, standings[best][0] == 0
