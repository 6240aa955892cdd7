"""A round of successive halving: which students compete for the time left, for how long, and who goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.students.steps import LEAST_STEPS
from fairdistill.fixing.students.student import Student

_FIRST_RUNG, _FIRST_RUNG_CHANGED = 0.9, 5.0  # epochs before students are compared; changed images pay late


@dataclass(frozen=True)
class Round:
    """Successive halving: all students start, after each rung the better half goes on (1 of 3, 2 of 5, 3 of 7).

    Attributes:
        steps: optimizer steps of a student that stays to the end; their learning rate decays over all of them.
        rungs: the steps after which students are compared; the last is ``steps``.
        students: configurations of those that start.
        passed: for each rung that is done, configurations of those that went on, the best first.

    Example:
        >>> Round(800, (200, 400, 800), ("ss", "mfd", "di", "dro")).after(["mfd", "di", "ss", "dro"]).standing
        ('mfd', 'di')
    """

    steps: int
    rungs: tuple[int, ...]
    students: tuple[str, ...]
    passed: tuple[tuple[str, ...], ...] = ()

    @property
    def standing(self) -> tuple[str, ...]:
        """Configurations of the students that are still in."""
        return self.passed[-1] if self.passed else self.students

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return len(self.passed) == len(self.rungs) or not self.standing

    def after(self, ranked: Sequence[str]) -> Round:
        """Return the round after the next rung, given the standing students, the best first."""
        last = len(self.passed) == len(self.rungs) - 1
        going_on = 0 if last else max(1, len(self.standing) // 2)
        return replace(self, passed=(*self.passed, tuple(ranked[:going_on])))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Round:
        """Return the round whose fields a JSON file holds."""
        return cls(
            content["steps"], tuple(content["rungs"]), tuple(content["students"]), tuple(map(tuple, content["passed"]))
        )


def plan_round(seconds: float, pace: Pace, students: Sequence[Student], *, epoch_steps: int, most: int) -> Round | None:
    """Return how the time is spent on as many students as can compete in it.

    Students are compared after s, 2 s, 4 s, ... steps, and the better half goes on, until one is left. As
    many compete as can get s steps, at least about an epoch, each; a single student takes whatever is left. With
    changed images, these are five epochs: in fewer, such a student only catches up with one that sees the images as
    they are.

    Args:
        seconds: left for students.
        pace: how fast they are trained.
        students: the students that may start, the most promising first.
        epoch_steps: steps of an epoch.
        most: no more steps than this.

    Returns:
        None if the time does not suffice for a single student.

    Example:
        >>> from fairdistill.fixing.students.student import configurations
        >>> students = configurations(from_trained=True)
        >>> found = plan_round(300, Pace(0.1, 2.0), students, epoch_steps=352, most=17_600)
        >>> found.students, found.rungs
        (('ss', 'mfd', 'ss-lr0.1'), (608, 1216))
    """
    for number in range(len(students), 0, -1):
        starting = students[:number]
        fields = _fields(number)
        rungs = [2**rung for rung in range(len(fields))]
        cost = sum(each.cost for each in starting) / number
        training = seconds - sum(fields) * pace.part
        units = sum(field * (until - before) for field, until, before in zip(fields, rungs, [0, *rungs], strict=False))
        longest = most // rungs[-1]
        first = min(longest, int(training / (pace.step * cost * units)))
        if number == 1 and first < max(LEAST_STEPS, epoch_steps // 4):
            return None
        epochs = _FIRST_RUNG_CHANGED if any(each.augment for each in starting) else _FIRST_RUNG
        if number == 1 or first >= epochs * epoch_steps:
            steps = tuple(first * rung for rung in rungs)
            return Round(steps[-1], steps, tuple(each.configuration for each in starting))
    return None


def _fields(number: int) -> list[int]:
    """Return how many students train up to each rung, for example 7, 3 and 1."""
    return [number, *(_fields(number // 2) if number > 1 else [])]
