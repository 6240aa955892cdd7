"""How the time budget is spent on students: which ones compete, for how long, and who goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairdistill.data.recipe import Augmentation
from fairdistill.system.clock import changed

SHORT = "ss-short"
"""The student that is trained first, for a quick second answer."""

_SHORT_EPOCHS = 2
_SHORT_SHARE = 0.6  # of the time left; the rest is for evaluating it
_LEAST_STEPS = 20
_CHANGED = 2.0
_STUDENTS: tuple[tuple[str, float, Augmentation | None], ...] = (
    ("ss", 1.0, None), ("mfd", 1.0, None), ("ss", 0.1, None), ("mfd", 0.1, None), ("di", 1.0, None),
    ("mfd-self", 1.0, None), ("dro", 1.0, None), ("ss", 0.03, None),
)  # fmt: skip
_WITH_CHANGED_IMAGES: tuple[tuple[str, float, Augmentation | None], ...] = (
    ("gapreg", 1.0, "randaug"), ("ss", 1.0, "randaug"), ("dro", 1.0, "randaug"), ("ss", 1.0, None), ("mfd", 1.0, None),
    ("mfd-self", 1.0, "randaug"), ("mfd", 1.0, "randaug"), ("ss", 0.1, None),
)  # fmt: skip
_FIRST_RUNG, _FIRST_RUNG_CHANGED = 0.9, 5.0  # epochs before students are compared; changed images pay late
_COST = {"mfd": 1.6, "mfd-self": 1.3}  # seconds per step, those of ss being 1: the teacher's forward pass
_HOW = {
    "ss": "on batches with as many images of every class and group",
    "mfd": "by MFD, distilled from yours",
    "mfd-self": "by MFD between the groups of its own features",
    "di": "with one last layer per group, averaged at the end",
    "dro": "by group DRO, which gives the worst subgroups more weight",
    "gapreg": "on batches with as many images of every class and group, with a penalty on the gap between groups",
}


@dataclass(frozen=True)
class Student:
    """A student to train.

    Attributes:
        configuration: its name in the first round.
        method: how it is trained.
        rate: its learning rate, as a share of ``--lr``.
        round: the number of the round, from 0; in each, it starts anew.
        augment: what is done to its training images; None: what ``--augment`` says.

    Example:
        >>> Student("mfd-lr0.1", "mfd", 0.1, round=1).name
        'mfd-lr0.1-2'
    """

    configuration: str
    method: str
    rate: float = 1.0
    round: int = 0
    augment: Augmentation | None = None

    @property
    def name(self) -> str:
        """Name of its run folder and its row in the table."""
        return self.configuration if self.round == 0 else f"{self.configuration}-{self.round + 1}"

    @classmethod
    def of(cls, method: str, rate: float, augment: Augmentation | None) -> Student:
        """Return a student named after how it is trained."""
        parts = [method, *([augment] if augment else []), *([f"lr{rate:g}"] if rate != 1 else [])]
        return cls("-".join(parts), method, rate, augment=augment)

    @property
    def cost(self) -> float:
        """Seconds per step, those of ``ss`` being 1."""
        return _COST.get(self.method, 1.0)

    def description(self, *, from_trained: bool) -> str:
        """Return what it is, for sentences."""
        what = "your network with all its weights trained further," if from_trained else "a new network trained"
        rate = "" if self.rate == 1 else f", at {self.rate:g} times the learning rate"
        images = ", with RandAugment" if self.augment == "randaug" else ""
        return f"{what} {_HOW[self.method]}{images}{rate}"


@dataclass(frozen=True)
class Pace:
    """How fast students are trained.

    Attributes:
        step: seconds per step of ``ss``, its share of the evaluations included.
        part: seconds to start or continue a run: loading data and weights.
    """

    step: float
    part: float

    @classmethod
    def measured(cls, *, wall: float, steps: int, training: float, evaluation: float) -> Pace:
        """Return the pace of a run.

        Args:
            wall: how long it took as a whole.
            steps: how many it had.
            training: how long these took.
            evaluation: how long all evaluations took, roughly.
        """
        step = (training + evaluation) / steps
        return cls(step, max(0.0, wall - steps * step))

    def expected(self, steps: int, cost: float) -> float:
        """Return the seconds that a part of a run should take."""
        return self.part + self.step * cost * steps

    def corrected(self, *, seconds: float, expected: float) -> Pace:
        """Return the pace if something took so many seconds instead of those expected.

        It stays the same unless the machine must have become busier or freer: a factor of 2 is more than the cost of
        the methods leaves open.

        Example:
            >>> Pace(0.1, 2.0).corrected(seconds=36.0, expected=12.0)
            Pace(step=0.3, part=6.0)
            >>> Pace(0.1, 2.0).corrected(seconds=14.0, expected=12.0)
            Pace(step=0.1, part=2.0)
        """
        if expected <= 0 or not changed(expected, seconds, factor=_CHANGED):
            return self
        return Pace(self.step * seconds / expected, self.part * seconds / expected)


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

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "steps": self.steps, "rungs": list(self.rungs), "students": list(self.students),
            "passed": [list(each) for each in self.passed],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Round:
        """Return the round that :meth:`to_dict` described."""
        return cls(
            content["steps"], tuple(content["rungs"]), tuple(content["students"]), tuple(map(tuple, content["passed"]))
        )


def configurations(*, from_trained: bool, changed_images: bool = False) -> list[Student]:
    """Return the students in order of promise.

    Those that start from trained weights also compete at lower learning rates. There are no more than can start in a
    round.

    Args:
        from_trained: whether students start from the deployed model's weights.
        changed_images: whether most students should see training images changed by RandAugment, since the deployed
            model knows the images themselves by heart.
    """
    return [
        Student.of(method, rate, augment)
        for method, rate, augment in (_WITH_CHANGED_IMAGES if changed_images else _STUDENTS)
        if from_trained or rate == 1
    ]


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Return the steps that pass over as many images as there are, as the honest protocol counts them."""
    return -(-rows // batch_size)


def teacher_steps(seconds: float, step_seconds: float, *, epoch_steps: int, epochs: int) -> int:
    """Return the steps of a model that is trained first: a third of the time, and at most so many epochs.

    Example:
        >>> teacher_steps(120, 0.05, epoch_steps=100, epochs=50)
        800
    """
    return max(1, min(epochs * epoch_steps, int(seconds / 3 / step_seconds)))


def short_steps(seconds: float, step_seconds: float, *, epoch_steps: int, most: int) -> int:
    """Return the steps of the first, short student: two epochs, or what 60% of the time affords; 0 for none.

    Args:
        seconds: left for students.
        step_seconds: duration of a step.
        epoch_steps: steps of an epoch.
        most: no more steps than this.

    Example:
        >>> short_steps(600, 0.1, epoch_steps=352, most=17_600)
        704
        >>> short_steps(60, 0.1, epoch_steps=352, most=17_600)
        360
    """
    steps = min(_SHORT_EPOCHS * epoch_steps, most, int(_SHORT_SHARE * seconds / step_seconds))
    return steps if steps >= min(_LEAST_STEPS, epoch_steps) else 0


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
        if number == 1 and first < max(_LEAST_STEPS, epoch_steps // 4):
            return None
        epochs = _FIRST_RUNG_CHANGED if any(each.augment for each in starting) else _FIRST_RUNG
        if number == 1 or first >= epochs * epoch_steps:
            steps = tuple(first * rung for rung in rungs)
            return Round(steps[-1], steps, tuple(each.configuration for each in starting))
    return None


def _fields(number: int) -> list[int]:
    """Return how many students train up to each rung, for example 7, 3 and 1."""
    return [number, *(_fields(number // 2) if number > 1 else [])]
