"""Reading a rule from text."""

from __future__ import annotations

import math
import re

from fairdistill.choosing.function_rule import FunctionRule, RuleFunction
from fairdistill.choosing.metrics import KEY, KINDS, NAME, parse_metric
from fairdistill.choosing.rule import Condition, Reference, Rule
from fairdistill.errors import UsageError

Chooser = Rule | FunctionRule
"""A rule: it says how a model stands. ``str`` returns it as it is recorded."""

NEGLIGIBLE = 0.005
"""A change that the rules of this package count as none: half a point."""

FIX_RULE = f"deo_a subject to balanced_accuracy >= deployed - {NEGLIGIBLE}"
"""How ``fix`` chooses a candidate."""

DEFAULT_RULE = f"deo_a subject to accuracy >= teacher - {NEGLIGIBLE}"
"""How ``tune`` chooses a trial."""

_NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_LIMIT = rf"(?:(teacher|deployed)(?:\s*([+-])\s*({_NUMBER}))?|({_NUMBER}))"
_CONDITION = re.compile(rf"({NAME})\s*(<=|>=)\s*{_LIMIT}", re.IGNORECASE)


def parse_rule(text: str, *, reference: Reference | None = None) -> Rule:
    """Parse a rule, for example ``deo_a subject to balanced_accuracy >= deployed - 0.005``.

    A rule is a metric of :data:`KINDS`, whose best value is chosen: the lowest of DEO and other differences, the
    highest of everything else. Conditions follow ``subject to`` and are joined by ``and``. Each is a metric, ``<=`` or
    ``>=``, and a limit: a fraction; ``deployed`` or ``teacher``, which both stand for the value of the same metric of
    the model that the others are compared with; or that plus or minus a fraction.

    Args:
        text: the rule.
        reference: how the rule calls that model when it is printed; None keeps the word of the text.

    Raises:
        UsageError: naming the part that cannot be parsed.

    Example:
        >>> rule = parse_rule("deo_a subject to accuracy >= 0.9 and recall[cat] >= teacher", reference="deployed")
        >>> str(rule)
        'deo_a subject to accuracy >= 0.9 and recall[cat] >= deployed'
        >>> models = {0: {"deo_a": 0.2, "accuracy": 0.95, "recall[cat]": 0.9},
        ...           1: {"deo_a": 0.1, "accuracy": 0.92, "recall[cat]": 0.8}}
        >>> rule.pick(models, deployed={"recall[cat]": 0.8})
        1
    """
    metric, *rest = _split(r"\s+subject\s+to\s+", text.strip(), most=1)
    parts = _split(r"\s+and\s+", rest[0]) if rest else []
    return Rule(
        _named(metric, text, reference, "not a metric to choose by"),
        tuple(_condition(each, text, reference) for each in parts),
    )


def chooser(rule: str | RuleFunction, *, reference: Reference | None = None) -> Chooser:
    """Return the rule of an option, which is a text or a Python function.

    Args:
        rule: see :func:`parse_rule` and :class:`FunctionRule`.
        reference: how a text calls the model that others are compared with when it is printed.

    Raises:
        UsageError: if it is neither, or a text that cannot be parsed.

    Example:
        >>> str(chooser("deo_a subject to accuracy >= teacher", reference="deployed"))
        'deo_a subject to accuracy >= deployed'
    """
    if isinstance(rule, str):
        return parse_rule(rule, reference=reference)
    if not callable(rule):
        raise UsageError(f"expected rule to be a text or a function (model, deployed) -> number, but got {rule!r}")
    return FunctionRule(rule)


def _condition(part: str, text: str, reference: Reference | None) -> Condition:
    match = _CONDITION.fullmatch(part.strip())
    if match is None:
        why = "not a condition; expected METRIC <= or >= a fraction, or deployed - a fraction"
        raise _unreadable(text, reference, part, why)
    metric, (sign, word, plus_minus, offset, fraction) = match[1], match.groups()[-5:]
    name = _named(metric, text, reference, "not a metric")
    number = float(offset or fraction or 0)
    if number > 1:
        why = "not a fraction" if number == math.inf else f"not a fraction; write {number:g}% as {number / 100:g}"
        raise _unreadable(text, reference, f"{number:g}", why)
    written: Reference = "teacher" if (word or "").lower() == "teacher" else "deployed"
    return Condition(
        name, "<=" if sign == "<=" else ">=", -number if plus_minus == "-" else number,
        of=(reference or written) if word else None,
    )  # fmt: skip


def _named(metric: str, text: str, reference: Reference | None, why: str) -> str:
    found = parse_metric(metric)
    if found is None:
        raise _unreadable(text, reference, metric, f"{why}; choose from {', '.join(KINDS)}")
    return str(found)


def _split(pattern: str, text: str, most: int = 0) -> list[str]:
    """Return the parts of a text between matches of a pattern that are not within brackets."""
    hidden = re.sub(KEY, lambda key: "x" * len(key[0]), text)
    ends = [match.span() for match in re.finditer(pattern, hidden, re.IGNORECASE)][: most or None]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(text)]
    return [text[start:stop] for start, stop in zip(starts, stops, strict=True)]


def _unreadable(text: str, reference: Reference | None, part: str, why: str) -> UsageError:
    to_fix = reference == "deployed" or (reference is None and "deployed" in text.lower())
    example = FIX_RULE if to_fix else DEFAULT_RULE
    return UsageError(f'cannot read the rule {text!r}: {part!r} is {why}. For example: --rule "{example}"')
