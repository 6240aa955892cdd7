"""The rule that picks one model: the best in one metric among those that meet some conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fairdistill.errors import UsageError
from fairdistill.metrics import METRICS, Scores, higher_is_better, improvement
from fairdistill.text.numbers import percent

DEFAULT_RULE = "deo_a subject to accuracy >= teacher - 0.005"

_NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_CONDITION = re.compile(rf"(\w+)\s*(<=|>=)\s*(?:(teacher)(?:\s*([+-])\s*({_NUMBER}))?|({_NUMBER}))")
_ROUNDING = 1e-9  # 0.915 - 0.005 is a little more than 0.91


@dataclass(frozen=True)
class Condition:
    """A limit that a model must keep.

    Attributes:
        metric: ``accuracy``, ``deo_a`` or ``deo_m``.
        sign: whether the metric must be at most or at least the limit.
        number: the limit, a fraction; added to the teacher's value if ``of_teacher``.
        of_teacher: whether the limit is relative to the teacher.

    Example:
        >>> condition = Condition("accuracy", ">=", -0.005, of_teacher=True)
        >>> str(condition), round(condition.limit(Scores(accuracy=0.9, deo_a=0.2, deo_m=0.3)), 3)
        ('accuracy >= teacher - 0.005', 0.895)
    """

    metric: str
    sign: Literal["<=", ">="]
    number: float
    of_teacher: bool

    def limit(self, teacher: Scores | None) -> float:
        """Return the limit, a fraction."""
        if not self.of_teacher:
            return self.number
        assert teacher is not None, "the caller checks needs_teacher"
        return teacher[self.metric] + self.number

    def shortfall(self, scores: Scores, teacher: Scores | None) -> float:
        """Return by how much a model misses the limit; 0 if it keeps it."""
        excess = scores[self.metric] - self.limit(teacher)
        missing = excess if self.sign == "<=" else -excess
        return missing if missing > _ROUNDING else 0.0

    def __str__(self) -> str:
        if not self.of_teacher:
            return f"{self.metric} {self.sign} {self.number:g}"
        added = f" {'-' if self.number < 0 else '+'} {abs(self.number):g}" if self.number else ""
        return f"{self.metric} {self.sign} teacher{added}"


@dataclass(frozen=True)
class Rule:
    """Which model to choose; see :func:`parse_rule`.

    Attributes:
        metric: ``deo_a`` or ``deo_m`` to choose the lowest, ``accuracy`` to choose the highest.
        conditions: the limits that the model must keep.
    """

    metric: str
    conditions: tuple[Condition, ...]

    @property
    def needs_teacher(self) -> bool:
        """Whether a condition is relative to the teacher."""
        return any(condition.of_teacher for condition in self.conditions)

    def pick(self, models: Mapping[int, Scores], teacher: Scores | None, names: Mapping[int, str] | None = None) -> int:
        """Return the number of the chosen model.

        Ties go to the model with the higher accuracy (or the lower DEO_A, if the rule is about accuracy), then to the
        lower number.

        Args:
            models: the metrics of at least one model by its number, on the validation set.
            teacher: those of the teacher; None if the rule does not need them.
            names: what an error calls the models; ``trial N`` by default.

        Raises:
            UsageError: if no model meets the conditions; it says which came closest, and by how much it missed.
        """
        missed = {
            number: [condition.shortfall(scores, teacher) for condition in self.conditions]
            for number, scores in models.items()
        }
        kept = [number for number in models if not any(missed[number])]
        if not kept:
            nearest = min(missed, key=lambda number: (max(missed[number]), number))
            name = f"trial {nearest}" if names is None else names[nearest]
            raise UsageError(self._no_model(name, models[nearest], teacher))
        other = "deo_a" if self.metric == "accuracy" else "accuracy"
        order = (self.metric, other)
        return min(kept, key=lambda number: (*(-improvement(name, models[number][name]) for name in order), number))

    def in_words(self, teacher: Scores | None) -> str:
        """Return the rule as a phrase, with the limits in percent."""
        best = "highest" if higher_is_better(self.metric) else "lowest"
        wanted = f"the {best} {METRICS[self.metric]}"
        limits = []
        for condition in self.conditions:
            limit = f"{METRICS[condition.metric]} {condition.sign} {percent(condition.limit(teacher), 2)}%"
            if condition.of_teacher:
                assert teacher is not None
                points = f" {'-' if condition.number < 0 else '+'} {100 * abs(condition.number):g} points"
                limit += f" (teacher {percent(teacher[condition.metric], 2)}%{points if condition.number else ''})"
            limits.append(limit)
        return f"{wanted} with {' and '.join(limits)}" if limits else wanted

    def __str__(self) -> str:
        if not self.conditions:
            return self.metric
        return f"{self.metric} subject to {' and '.join(map(str, self.conditions))}"

    def missed(self, scores: Scores, teacher: Scores | None) -> list[str]:
        """Return each condition that a model does not meet, and by how much, in words."""
        missed = []
        for condition in self.conditions:
            by = condition.shortfall(scores, teacher)
            if by:
                limit = f" ({condition.limit(teacher):.4f})" if condition.of_teacher else ""
                missed.append(
                    f"{condition.metric} {scores[condition.metric]:.4f} misses {condition}{limit} by {by:.4f}"
                )
        return missed

    def _no_model(self, name: str, scores: Scores, teacher: Scores | None) -> str:
        return (
            f"no model meets the rule {str(self)!r}; {name} comes closest: {', '.join(self.missed(scores, teacher))}. "
            "Relax --rule or search further; what has been trained is kept"
        )


def parse_rule(text: str) -> Rule:
    """Parse a rule, for example ``deo_a subject to accuracy >= teacher - 0.005``.

    ``deo_a`` and ``deo_m`` ask for the model with the lowest value, ``accuracy`` for the one with the highest.
    Conditions follow ``subject to`` and are joined by ``and``. Each is a metric, ``<=`` or ``>=``, and a limit: a
    fraction, ``teacher`` (the teacher's value of the same metric), or ``teacher`` plus or minus a fraction.

    Raises:
        UsageError: naming the part that cannot be parsed.

    Example:
        >>> rule = parse_rule("deo_a subject to accuracy >= 0.9 and deo_m <= teacher")
        >>> models = {0: Scores(accuracy=0.95, deo_a=0.2, deo_m=0.3), 1: Scores(accuracy=0.92, deo_a=0.1, deo_m=0.2)}
        >>> rule.pick(models, teacher=Scores(accuracy=0.9, deo_a=0.2, deo_m=0.25))
        1
    """
    metric, *rest = re.split(r"\s+subject\s+to\s+", " ".join(text.lower().split()), maxsplit=1)
    if metric not in METRICS:
        raise _unreadable(text, metric, f"not a metric to choose by; choose from {', '.join(METRICS)}")
    return Rule(metric, tuple(_condition(part, text) for part in re.split(r"\s+and\s+", rest[0])) if rest else ())


def _condition(part: str, text: str) -> Condition:
    match = _CONDITION.fullmatch(part.strip())
    if match is None:
        raise _unreadable(text, part, "not a condition; expected METRIC <= or >= a fraction, or teacher - a fraction")
    metric, sign, teacher, plus_minus, offset, fraction = match.groups()
    if metric not in METRICS:
        raise _unreadable(text, metric, f"not a metric; choose from {', '.join(METRICS)}")
    number = float(offset or fraction or 0)
    if number > 1:
        raise _unreadable(text, f"{number:g}", f"not a fraction; write {number:g}% as {number / 100:g}")
    return Condition(metric, "<=" if sign == "<=" else ">=", -number if plus_minus == "-" else number, bool(teacher))


def _unreadable(text: str, part: str, why: str) -> UsageError:
    return UsageError(f'cannot read the rule {text!r}: {part!r} is {why}. For example: --rule "{DEFAULT_RULE}"')
