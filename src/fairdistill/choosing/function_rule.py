"""A rule that is a Python function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from fairdistill.choosing.metrics import KINDS
from fairdistill.choosing.values import Standing, Values
from fairdistill.errors import UsageError

RuleFunction = Callable[[Any, Any], float | None]
"""``(model, deployed) -> value``: both are :class:`Measures`; the model with the lowest value is chosen, and one with
None or NaN never."""


@dataclass(frozen=True)
class FunctionRule:
    """A rule that is a Python function of the measures of a model and of the deployed model.

    Args:
        function: returns a number, of which the lowest is chosen, or None or NaN for a model that is not allowed.

    Example:
        >>> def worst_first(model, deployed):
        ...     return -model["worst_subgroup"] if model["accuracy"] >= deployed["accuracy"] - 0.01 else None
        >>> deployed, fairer = {"accuracy": 0.9, "worst_subgroup": 0.4}, {"accuracy": 0.89, "worst_subgroup": 0.7}
        >>> FunctionRule(worst_first).standing(fairer, deployed)
        (0.0, -0.7, -0.89)
    """

    function: RuleFunction

    @property
    def metric(self) -> None:
        """None: nobody but the function knows what it optimizes."""
        return None

    def check(self, class_names: Sequence[str], group_names: Sequence[str]) -> None:
        """Do nothing: the names that a function uses are known when it is called."""

    def value(self, model: Values, deployed: Values | None) -> float:
        """Return what the function returns; NaN for a model that is not allowed.

        Raises:
            UsageError: if the function fails or returns anything else than a number or None.
        """
        try:
            found = self.function(model, deployed)
        except Exception as error:
            names = f"; the metrics are {', '.join(KINDS)}" if isinstance(error, KeyError) else ""
            raise UsageError(f"the rule {self} failed with {type(error).__name__}: {error}{names}") from error
        if found is None:
            return math.nan
        if isinstance(found, bool) or not isinstance(found, Real):
            raise UsageError(
                f"the rule {self} returned {found!r}; return a number, of which the lowest is chosen, or None for a "
                "model that is not allowed"
            )
        return float(found)

    def standing(self, model: Values, deployed: Values | None) -> Standing:
        """Return how a model stands, lower is better: by the function's value, then by accuracy."""
        value, accuracy = self.value(model, deployed), model["accuracy"]
        tie = math.inf if math.isnan(accuracy) else -accuracy
        return (math.inf, math.inf, tie) if math.isnan(value) else (0.0, value, tie)

    def missed(self, model: Values, deployed: Values | None) -> list[str]:
        """Return a single sentence if the function does not allow a model."""
        return [f"{self} does not allow it"] if math.isnan(self.value(model, deployed)) else []

    def __str__(self) -> str:
        """Return the qualified name of the function, as it is recorded."""
        named = self.function if hasattr(self.function, "__qualname__") else type(self.function)
        return f"{named.__module__}.{named.__qualname__}"
