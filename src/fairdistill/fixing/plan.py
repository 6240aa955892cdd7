"""How the time budget is spent: which students are trained, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairdistill import methods
from fairdistill.errors import UsageError
from fairdistill.text.durations import format_seconds

_FEWEST_STUDENTS = 3
_FACTORS = (1.0, 1 / 3, 3.0, 1 / 10, 10.0)


@dataclass(frozen=True)
class Student:
    """A student to train.

    Attributes:
        name: of its run folder and its row in the table.
        method: how it is trained.
        settings: settings of the method's terms that differ from the paper's.
    """

    name: str
    method: str
    settings: Mapping[str, float]

    @property
    def description(self) -> str:
        """What it is, for sentences."""
        if self.method == "ss":
            return "a new model, trained on batches with as many images of every class and group"
        return f"a new model, distilled from yours by MFD at strength {self.settings['mfd.strength']:g}"


def students(data: str) -> list[Student]:
    """Return the students: ``ss``, then ``mfd`` at the paper's strength, a third of it, three times it, and so on."""
    paper = methods.parse("mfd", data=data).settings["mfd.strength"]
    strengths = [float(f"{factor * paper:.3g}") for factor in _FACTORS]
    return [Student("ss", "ss", {}), *(Student(f"mfd-{s:g}", "mfd", {"mfd.strength": s}) for s in strengths)]


def affordable_epochs(epoch_seconds: float, *, budget: float, most: int, students: int, teacher: bool) -> int:
    """Return how many epochs each run can have so that ``ss`` and two strengths of ``mfd`` fit into the budget.

    Args:
        epoch_seconds: duration of one pass over the training set.
        budget: seconds.
        most: no more epochs than this.
        students: maximum number of students.
        teacher: whether a teacher has to be trained as well.

    Raises:
        UsageError: if not even one epoch each fits; the message names a budget that would.
    """
    runs = min(_FEWEST_STUDENTS, students) + teacher
    epochs = int(min(most, budget / (runs * epoch_seconds)))
    if epochs < 1:
        raise UsageError(
            f"--budget of {format_seconds(budget)} is too short: one pass over the training set takes about "
            f"{format_seconds(epoch_seconds)}, and {runs} runs need at least one pass each; the budget must be at "
            f"least {max(1, round(1.2 * runs * epoch_seconds + 1))}s"
        )
    return epochs
