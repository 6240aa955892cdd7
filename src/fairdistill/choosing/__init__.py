"""How one of several models is chosen: a rule that picks one, and the Pareto front of those that no other beats."""

from __future__ import annotations

from fairdistill.choosing.front import gain, pareto_front, parse_objectives
from fairdistill.choosing.function_rule import FunctionRule, RuleFunction
from fairdistill.choosing.measures import Measures, measures_of_predictions
from fairdistill.choosing.metrics import KINDS, Metric, MetricKind, parse_metric
from fairdistill.choosing.parsing import DEFAULT_RULE, FIX_RULE, NEGLIGIBLE, Chooser, chooser, parse_rule
from fairdistill.choosing.rule import Condition, Reference, Rule, title
from fairdistill.choosing.uncertainty import error_of_difference, too_small_for
from fairdistill.choosing.values import Values

__all__ = [
    "DEFAULT_RULE", "FIX_RULE", "KINDS", "NEGLIGIBLE", "Chooser", "Condition", "FunctionRule", "Measures", "Metric",
    "MetricKind", "Reference", "Rule", "RuleFunction", "Values", "chooser", "error_of_difference", "gain",
    "measures_of_predictions", "pareto_front", "parse_metric", "parse_objectives", "parse_rule", "title",
    "too_small_for",
]  # fmt: skip
