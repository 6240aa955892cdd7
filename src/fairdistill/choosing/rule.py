"""The rule that picks one trial: the best in one metric among those that keep some conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fairdistill.errors import UsageError
from fairdistill.metrics.names import METRICS

Values = Mapping[str, float]
"""What a model does on the validation set: ``accuracy``, ``deo_a`` and ``deo_m``, fractions."""

DEFAULT_RULE = "deo_a subject to accuracy >= teacher - 0.005"

_NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_CONDITION = re.compile(rf"(\w+)\s*(<=|>=)\s*(?:(teacher)(?:\s*([+-])\s*({_NUMBER}))?|({_NUMBER}))")
_ROUNDING = 1e-9  # 0.915 - 0.005 is a little more than 0.91


@dataclass(frozen=True)
class Condition:
    """A limit that a trial must keep.

    Attributes:
        metric: ``accuracy``, ``deo_a`` or ``deo_m``.
        sign: whether the metric must be at most or at least the limit.
        number: the limit, a fraction; added to the teacher's metric if ``of_teacher``.
        of_teacher: whether the limit is relative to the teacher.

    Example:
        >>> condition = Condition("accuracy", ">=", -0.005, of_teacher=True)
        >>> str(condition), round(condition.limit({"accuracy": 0.9}), 3)
        ('accuracy >= teacher - 0.005', 0.895)
    """

    metric: str
    sign: Literal["<=", ">="]
    number: float
    of_teacher: bool

    def limit(self, teacher: Values | None) -> float:
        """Return the limit, a fraction."""
        if not self.of_teacher:
            return self.number
        assert teacher is not None, "a rule that needs the teacher is given it"
        return teacher[self.metric] + self.number

    def shortfall(self, values: Values, teacher: Values | None) -> float:
        """Return by how much a trial misses the limit, 0 if it keeps it."""
        excess = values[self.metric] - self.limit(teacher)
        missing = excess if self.sign == "<=" else -excess
        return missing if missing > _ROUNDING else 0.0

    def __str__(self) -> str:
        if not self.of_teacher:
            return f"{self.metric} {self.sign} {self.number:g}"
        added = f" {'-' if self.number < 0 else '+'} {abs(self.number):g}" if self.number else ""
        return f"{self.metric} {self.sign} teacher{added}"


@dataclass(frozen=True)
class Rule:
    """Which trial is chosen; see :func:`parse_rule`.

    Attributes:
        metric: ``deo_a`` or ``deo_m``, of which the lowest, or ``accuracy``, of which the highest is chosen.
        conditions: what a trial must keep.
    """

    metric: str
    conditions: tuple[Condition, ...]

    @property
    def needs_teacher(self) -> bool:
        """Whether a condition is relative to the teacher."""
        return any(condition.of_teacher for condition in self.conditions)

    def pick(self, trials: Mapping[int, Values], teacher: Values | None, names: Mapping[int, str] | None = None) -> int:
        """Return the number of the trial that is chosen.

        Of trials that are equally good, the one that is better in accuracy (or DEO_A, if the rule is about accuracy) is
        chosen, then the earlier.

        Args:
            trials: validation values by the trial's number; at least one.
            teacher: those of the teacher; None where the rule does not need them.
            names: what the trials are called in an error; ``trial N`` by default.

        Raises:
            UsageError: if no trial keeps the conditions; it says how near the nearest came.
        """
        missed = {
            number: [condition.shortfall(values, teacher) for condition in self.conditions]
            for number, values in trials.items()
        }
        kept = [number for number in trials if not any(missed[number])]
        if not kept:
            nearest = min(missed, key=lambda number: (max(missed[number]), number))
            name = f"trial {nearest}" if names is None else names[nearest]
            raise UsageError(self._how_near(name, trials[nearest], teacher))
        other = "deo_a" if self.metric == "accuracy" else "accuracy"
        return min(kept, key=lambda number: (*(_cost(trials[number], name) for name in (self.metric, other)), number))

    def in_words(self, teacher: Values | None) -> str:
        """Return the rule as a phrase, with the limits in percent."""
        best = "highest" if self.metric == "accuracy" else "lowest"
        said = f"the {best} {METRICS[self.metric]}"
        limits = []
        for condition in self.conditions:
            limit = f"{METRICS[condition.metric]} {condition.sign} {100 * condition.limit(teacher):.2f}%"
            if condition.of_teacher:
                assert teacher is not None
                points = f" {'-' if condition.number < 0 else '+'} {100 * abs(condition.number):g} points"
                limit += f" (teacher {100 * teacher[condition.metric]:.2f}%{points if condition.number else ''})"
            limits.append(limit)
        return f"{said} with {' and '.join(limits)}" if limits else said

    def __str__(self) -> str:
        if not self.conditions:
            return self.metric
        return f"{self.metric} subject to {' and '.join(map(str, self.conditions))}"

    def missed(self, values: Values, teacher: Values | None) -> list[str]:
        """Return each condition that is not kept, and by how much, in words."""
        missed = []
        for condition in self.conditions:
            by = condition.shortfall(values, teacher)
            if by:
                limit = f" ({condition.limit(teacher):.4f})" if condition.of_teacher else ""
                missed.append(
                    f"{condition.metric} {values[condition.metric]:.4f} misses {condition}{limit} by {by:.4f}"
                )
        return missed

    def _how_near(self, name: str, values: Values, teacher: Values | None) -> str:
        return (
            f"nothing that was tried keeps the rule {str(self)!r}; {name} comes nearest: "
            f"{', '.join(self.missed(values, teacher))}. Give another --rule, or search more; what was tried stays"
        )


def parse_rule(text: str) -> Rule:
    """Return the rule of a text such as ``deo_a subject to accuracy >= teacher - 0.005``.

    ``deo_a`` or ``deo_m`` asks for the trial with the lowest, ``accuracy`` for that with the highest. Conditions follow
    ``subject to``, joined by ``and``: a metric, ``<=`` or ``>=``, and a fraction, ``teacher``, or ``teacher`` plus or
    minus a fraction, which is the teacher's same metric.

    Raises:
        UsageError: naming the part that cannot be read.

    Example:
        >>> rule = parse_rule("deo_a subject to accuracy >= 0.9 and deo_m <= teacher")
        >>> rule.pick({0: {"accuracy": 0.95, "deo_a": 0.2, "deo_m": 0.3},
        ...            1: {"accuracy": 0.92, "deo_a": 0.1, "deo_m": 0.2}}, {"deo_m": 0.25})
        1
    """
    metric, *rest = re.split(r"\s+subject\s+to\s+", " ".join(text.lower().split()), maxsplit=1)
    if metric not in METRICS:
        raise _unreadable(text, metric, f"no metric to choose by; it is one of {', '.join(METRICS)}")
    return Rule(metric, tuple(_condition(part, text) for part in re.split(r"\s+and\s+", rest[0])) if rest else ())


def _condition(part: str, text: str) -> Condition:
    match = _CONDITION.fullmatch(part.strip())
    if match is None:
        raise _unreadable(text, part, "no condition; a condition is METRIC <= or >= a fraction or teacher - a fraction")
    metric, sign, teacher, plus_minus, offset, fraction = match.groups()
    if metric not in METRICS:
        raise _unreadable(text, metric, f"no metric; it is one of {', '.join(METRICS)}")
    number = float(offset or fraction or 0)
    if number > 1:
        raise _unreadable(text, f"{number:g}", f"no fraction; {number:g}% is {number / 100:g}")
    return Condition(metric, "<=" if sign == "<=" else ">=", -number if plus_minus == "-" else number, bool(teacher))


def _unreadable(text: str, part: str, why: str) -> UsageError:
    return UsageError(f'cannot read the rule {text!r}: {part!r} is {why}. A rule is such as: --rule "{DEFAULT_RULE}"')


def _cost(values: Values, metric: str) -> float:
    return -values[metric] if metric == "accuracy" else values[metric]
