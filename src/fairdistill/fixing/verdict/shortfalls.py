"""The conditions of a rule that a model breaks, in percent."""

from __future__ import annotations

import math

from fairdistill.choosing import Chooser, Condition, Measures, Rule, title
from fairdistill.text.numbers import percent

_SHOWN = 0.0005  # less than this is 0.0 points with one digit


def shortfalls(rule: Chooser, model: Measures, deployed: Measures) -> tuple[str, ...]:
    """Return each condition of a rule that a model breaks, and by how much, in words.

    Args:
        rule: the rule; of a function, only whether it allows the model is known.
        model: metrics of the model.
        deployed: metrics of the deployed model on the same images.
    """
    if not isinstance(rule, Rule):
        return tuple(rule.missed(model, deployed))
    undefined = (f"{title(rule.metric)} is undefined",) if math.isnan(model[rule.metric]) else ()
    broken = [each for each in rule.conditions if each.shortfall(model, deployed)]
    return (*undefined, *(_in_words(each, model, deployed) for each in broken))


def _in_words(condition: Condition, model: Measures, deployed: Measures) -> str:
    by = condition.shortfall(model, deployed)
    if math.isinf(by):
        return condition.missed(model, deployed)
    digits = 1 if by >= _SHOWN else 3
    value, limit, points = (percent(each, digits) for each in (model[condition.metric], condition.limit(deployed), by))
    side = "below" if condition.sign == ">=" else "above"
    return f"{title(condition.metric)} is {value}%, {points} points {side} the {limit}% that it asks for"
