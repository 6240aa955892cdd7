"""How one of several models is chosen: a rule that picks one, and the Pareto front of those that no other beats."""

from __future__ import annotations

from fairdistill.choosing.front import gain, pareto_front, parse_objectives
from fairdistill.choosing.rule import DEFAULT_RULE, Condition, Rule, parse_rule

__all__ = [
    "DEFAULT_RULE", "Condition", "Rule", "gain", "pareto_front", "parse_objectives", "parse_rule",
]  # fmt: skip
